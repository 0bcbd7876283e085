// SPDX-License-Identifier: Apache-2.0
// What Linux has and Swift's Glibc module leaves out, and calls whose plain form is variadic.
#ifndef BUSBAR_CLINUX_SHIM_H
#define BUSBAR_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

int pthread_setname_np(pthread_t thread, const char *name);

static inline int busbar_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
static inline void busbar_eventfd_signal(int fd) { (void)eventfd_write(fd, 1); }
static inline void busbar_eventfd_drain(int fd) { eventfd_t count; (void)eventfd_read(fd, &count); }

// A timer of the boot clock, which counts suspend. Setting it takes back what it had reached; 0 = never.
static inline int busbar_timer(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC); }
static inline void busbar_timer_set(int fd, int64_t time) {
  struct itimerspec moment = {{0, 0}, {time / 1000000000, time % 1000000000}};
  (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &moment, 0);
}
// Waits for the timer or the event, and forgets the event.
static inline void busbar_timer_wait(int timer, int event) {
  struct pollfd both[2] = {{event, POLLIN, 0}, {timer, POLLIN, 0}};
  (void)poll(both, 2, -1);
  if (both[0].revents) busbar_eventfd_drain(event);
}

static inline int busbar_inotify(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

// The lowest free number at or above `least`, close-on-exec; the old one stays open.
static inline int busbar_dup_above(int fd, int least) { return fcntl(fd, F_DUPFD_CLOEXEC, least); }

static inline int busbar_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
static inline int busbar_accept(int fd) { return accept4(fd, 0, 0, (int)SOCK_NONBLOCK | (int)SOCK_CLOEXEC); }

// Only one program may have a serial line.
static inline int busbar_exclusive(int fd) { return ioctl(fd, TIOCEXCL); }

// Opens a serial line: no controlling terminal, non-blocking, close-on-exec.
static inline int busbar_open_serial(const char *path) {
  return open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

// Opens a file for reading without following a link at its last part, and without waiting for the writer of a pipe.
static inline int busbar_open_nofollow(const char *path) { return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }

// Makes a new file with this mode; fails where it exists.
static inline int busbar_create(const char *path, unsigned mode) {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
}

static inline int busbar_create_at(int directory, const char *name, unsigned mode) {
  return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
}

// Raw mode. `parity` is 0 none, 1 odd, 2 even. 0, or -1 with errno; EINVAL for a speed the system does not know.
static inline int busbar_configure_serial(int fd, unsigned baud, int data_bits, int parity, int stop_bits) {
  static const struct { unsigned baud; speed_t speed; } speeds[] = {
    {300, B300}, {600, B600}, {1200, B1200}, {2400, B2400}, {4800, B4800}, {9600, B9600}, {19200, B19200},
    {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}};
  struct termios line;
  speed_t speed = 0;
  for (unsigned i = 0; i < sizeof speeds / sizeof *speeds; i++)
    if (speeds[i].baud == baud) speed = speeds[i].speed;
  if (speed == 0) { errno = EINVAL; return -1; }
  if (tcgetattr(fd, &line) != 0) return -1;
  cfmakeraw(&line);
  line.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
  line.c_cflag |= CLOCAL | CREAD | (data_bits == 7 ? CS7 : CS8);
  if (parity != 0) line.c_cflag |= PARENB;
  if (parity == 1) line.c_cflag |= PARODD;
  if (stop_bits == 2) line.c_cflag |= CSTOPB;
  line.c_cc[VMIN] = 0;
  line.c_cc[VTIME] = 0;
  if (cfsetispeed(&line, speed) != 0 || cfsetospeed(&line, speed) != 0) return -1;
  if (tcsetattr(fd, TCSANOW, &line) != 0) return -1;
  return tcflush(fd, TCIOFLUSH);
}

#endif
