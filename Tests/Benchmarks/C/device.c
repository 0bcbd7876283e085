// SPDX-License-Identifier: Apache-2.0
// A Modbus TCP device that costs as little as possible: answers function 3 and 4 with register = address, on several
// ports of 127.0.0.1.
//   device PORT…
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST = 12, MOST = 125 };

static void answer(int fd) {
  uint8_t in[REQUEST], out[9 + 2 * MOST];
  ssize_t got = recv(fd, in, sizeof in, 0);
  if (got != REQUEST) {
    close(fd);
    return;
  }
  unsigned first = (unsigned)in[8] << 8 | in[9], count = (unsigned)in[10] << 8 | in[11];
  if (count == 0 || count > MOST) {
    close(fd);
    return;
  }
  memcpy(out, in, 8);
  out[4] = (uint8_t)((3 + 2 * count) >> 8);
  out[5] = (uint8_t)(3 + 2 * count);
  out[8] = (uint8_t)(2 * count);
  for (unsigned i = 0; i < count; i++) {
    out[9 + 2 * i] = (uint8_t)((first + i) >> 8);
    out[10 + 2 * i] = (uint8_t)(first + i);
  }
  if (send(fd, out, 9 + 2 * count, MSG_NOSIGNAL) < 0) close(fd);
}

int main(int count, char **arguments) {
  int poll = epoll_create1(EPOLL_CLOEXEC), listeners = count - 1, one = 1;
  int *listening = calloc((size_t)count, sizeof *listening);
  if (poll < 0 || !listening) return 1;
  for (int i = 0; i < listeners; i++) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[i + 1]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = listening[i] = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 16) < 0) {
      perror(arguments[i + 1]);
      return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)fd << 1 | 1};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event ready[64];
    int n = epoll_wait(poll, ready, 64, -1);
    for (int i = 0; i < n; i++) {
      int fd = (int)(ready[i].data.u64 >> 1);
      if ((ready[i].data.u64 & 1) == 0) {
        answer(fd);
        continue;
      }
      int connection = accept(fd, NULL, NULL);
      if (connection < 0) continue;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)connection << 1};
      epoll_ctl(poll, EPOLL_CTL_ADD, connection, &event);
    }
  }
}
