// SPDX-License-Identifier: Apache-2.0
// What a poll costs at least: the same requests at the same pace as the host, and nothing done with the answers.
//   bare epoll|libmodbus REGISTERS PERIOD_MS SECONDS PORT…
// Prints microseconds of this process's CPU a poll.
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void until(double moment) {
  struct timespec time = {.tv_sec = (time_t)moment, .tv_nsec = (long)((moment - (double)(time_t)moment) * 1e9)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) continue;
}

static long with_libmodbus(int registers, double period, double end, int ports, char **port) {
  modbus_t **devices = calloc((size_t)ports, sizeof *devices);
  uint16_t values[125];
  long polls = 0;
  for (int i = 0; i < ports; i++) {
    devices[i] = modbus_new_tcp("127.0.0.1", atoi(port[i]));
    modbus_set_slave(devices[i], 1);
    if (modbus_connect(devices[i]) < 0) return -1;
  }
  // Each device at its own moment of the period, as the host spreads them.
  for (double next = now(CLOCK_MONOTONIC); next < end; next += period / ports, polls++) {
    until(next);
    if (modbus_read_registers(devices[polls % ports], 0, registers, values) != registers) return -1;
  }
  return polls;
}

static long with_epoll(int registers, double period, double end, int ports, char **port) {
  int *devices = calloc((size_t)ports, sizeof *devices), poll = epoll_create1(EPOLL_CLOEXEC), one = 1;
  uint8_t request[12] = {0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, (uint8_t)registers}, reply[260];
  long polls = 0;
  for (int i = 0; i < ports; i++) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port[i]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    devices[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(devices[i], (struct sockaddr *)&at, sizeof at) < 0) return -1;
    setsockopt(devices[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = devices[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, devices[i], &event);
  }
  for (double next = now(CLOCK_MONOTONIC); next < end; next += period / ports, polls++) {
    struct epoll_event ready;
    until(next);
    if (send(devices[polls % ports], request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request) return -1;
    if (epoll_wait(poll, &ready, 1, 1000) != 1) return -1;
    if (recv(ready.data.fd, reply, sizeof reply, 0) != 9 + 2 * registers) return -1;
  }
  return polls;
}

int main(int count, char **arguments) {
  if (count < 6) return 2;
  int registers = atoi(arguments[2]);
  double period = atof(arguments[3]) / 1000, end = now(CLOCK_MONOTONIC) + atof(arguments[4]);
  double before = now(CLOCK_PROCESS_CPUTIME_ID);
  long polls = strcmp(arguments[1], "epoll") == 0 ? with_epoll(registers, period, end, count - 5, arguments + 5)
                                                  : with_libmodbus(registers, period, end, count - 5, arguments + 5);
  if (polls <= 0) {
    fprintf(stderr, "the device did not answer as expected\n");
    return 1;
  }
  printf("%.2f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - before) / (double)polls * 1e6);
  return 0;
}
