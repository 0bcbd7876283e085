// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#include "busbar_process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

// Starts a program with `null` as 0, `output` as 1 and 2, `socket` as 3, `file` as 4 and nothing else; no signal is blocked
// or ignored. 0 or an errno. All four numbers are above 4.
int busbar_spawn(const char *program, char *const arguments[], char *const environment[], int null, int output,
                 int socket, int file, int32_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_adddup2(&actions, null, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawn_file_actions_adddup2(&actions, socket, 3);
  posix_spawn_file_actions_adddup2(&actions, file, 4);
  posix_spawn_file_actions_addclosefrom_np(&actions, 5);
  int code = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

int busbar_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int busbar_packet_pair(int pair[2]) { return socketpair(AF_UNIX, (int)SOCK_SEQPACKET | (int)SOCK_CLOEXEC, 0, pair); }

// Sends one packet, and a descriptor with it unless `passed` is -1. Never waits. As send(2).
ssize_t busbar_send_packet(int fd, const void *bytes, size_t count, int passed) {
  union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec part = {(void *)bytes, count};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (passed >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control.room;
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &passed, sizeof passed);
  }
  return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Receives one packet and the descriptor that came with it, -1 where none did. Never waits. More than the room given is -2 with
// the packet lost. As recv(2).
ssize_t busbar_receive_packet(int fd, void *bytes, size_t room, int *passed) {
  union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec part = {bytes, room};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control.room;
  *passed = -1;
  ssize_t count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0) return -1;
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(passed, CMSG_DATA(head), sizeof *passed);
  return message.msg_flags & MSG_TRUNC ? -2 : count;
}

int busbar_turns(int fd) {
  int turns = epoll_create1(EPOLL_CLOEXEC);
  if (turns < 0) return -1;
  // Once: the packet that one thread was woken for wakes no other one.
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
  if (epoll_ctl(turns, EPOLL_CTL_ADD, fd, &event) == 0) return turns;
  int reason = errno;
  close(turns);
  errno = reason;
  return -1;
}

int busbar_await_turn(int turns) {
  struct epoll_event event;
  return epoll_wait(turns, &event, 1, -1);
}

int busbar_next_turn(int turns, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
  return epoll_ctl(turns, EPOLL_CTL_MOD, fd, &event);
}

// The same without descriptors: the system drops those that a child sends. Never waits.
ssize_t busbar_receive_plain(int fd, void *bytes, size_t room) {
  return recv(fd, bytes, room, MSG_DONTWAIT | MSG_TRUNC);
}

// A memory file with this content that nobody can change any more; -1 with errno.
int busbar_sealed_file(const void *bytes, size_t count) {
  int fd = (int)syscall(SYS_memfd_create, "busbar", 3u /* MFD_CLOEXEC | MFD_ALLOW_SEALING */);
  if (fd < 0) return -1;
  const char *rest = (const char *)bytes;
  while (count > 0) {
    ssize_t written = write(fd, rest, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) { close(fd); return -1; }
    rest += written;
    count -= (size_t)written;
  }
  if (fcntl(fd, 1033 /* F_ADD_SEALS */, 0xF /* SEAL, SHRINK, GROW, WRITE */) != 0) { close(fd); return -1; }
  return fd;
}

// 1 where the process is past the point where it can still do anything, 0 where not, -1 where the system does not tell. A process
// gives up its files after this flag is set and before it has ended (exit_files in the kernel's do_exit).
static int is_exiting(int32_t pid) {
  char path[40], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 1 : -1;
  ssize_t count = read(fd, text, sizeof text - 1);
  close(fd);
  if (count <= 0) return -1;
  text[count] = 0;
  // Behind the name, which may hold anything: state, five numbers, flags (proc(5)).
  const char *rest = strrchr(text, ')');
  char state;
  unsigned flags;
  if (!rest || sscanf(rest, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2) return -1;
  return state == 'Z' || state == 'X' || (flags & 4u /* PF_EXITING */) != 0;
}

int busbar_ends(int32_t pid) {
  // Far above what the system takes to end a process; where it does not tell, what a busy machine takes.
  enum { EXITING = 30000, UNTOLD = 2000 };
  int fd = (int)syscall(434 /* pidfd_open */, pid, 0);
  if (fd < 0) return errno == ESRCH;
  struct pollfd end = {fd, POLLIN, 0};
  int ready = poll(&end, 1, 0);
  int exiting = ready > 0 ? 1 : is_exiting(pid);
  if (ready == 0 && exiting != 0) {
    do ready = poll(&end, 1, exiting > 0 ? EXITING : UNTOLD); while (ready < 0 && errno == EINTR);
  }
  close(fd);
  return ready > 0;
}

long busbar_own_peak_kilobytes(void) {
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int busbar_wait(int32_t pid, int *status, long *peak_kilobytes) {
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  pid_t done;
  do done = wait4(pid, status, 0, &usage); while (done < 0 && errno == EINTR);
  *peak_kilobytes = usage.ru_maxrss;
  return done == pid ? 0 : -1;
}

// User and group of a name; 0 where there is none.
int busbar_find_user(const char *name, uint32_t *user, uint32_t *group) {
  struct passwd entry, *found = 0;
  char room[4096];
  if (getpwnam_r(name, &entry, room, sizeof room, &found) != 0 || !found) return 0;
  *user = found->pw_uid;
  *group = found->pw_gid;
  return 1;
}

// Nobody but root may look into this process or its memory.
int busbar_hide_process(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
