// SPDX-License-Identifier: Apache-2.0
// steps THREAD SECONDS: lets a thread run one instruction at a time for that long, and then as it likes again. Prints the address of each
// instruction that it came by, once, in the order in which it came by them first. The thread's process goes on meanwhile.
// Exit codes: 0 the thread was followed; 1 it cannot be, or ended.

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "steps knows where a thread is on x86-64 only"
#endif

#define PLACES (1u << 20)

static uint64_t seen[PLACES];
static volatile sig_atomic_t is_over;

static void over(int number) {
  (void)number;
  is_over = 1;
}

static void note(uint64_t address) {
  static unsigned count;
  unsigned place = (unsigned)(address * 0x9E3779B97F4A7C15u >> 44);
  while (seen[place] != 0) {
    if (seen[place] == address) return;
    place = (place + 1) % PLACES;
  }
  if (++count > PLACES / 2) {
    fprintf(stderr, "steps: more instructions than there is room for\n");
    exit(1);
  }
  seen[place] = address;
  printf("%llx\n", (unsigned long long)address);
}

static _Noreturn void failed(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t where(pid_t thread) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) failed("PTRACE_GETREGS");
  return registers.rip;
}

// What stops a thread by ptrace itself is no signal of its own.
static long own_signal(int status) {
  return WSTOPSIG(status) == SIGTRAP || status >> 16 != 0 ? 0 : WSTOPSIG(status);
}

static void step(pid_t thread, int *status) {
  if (ptrace(PTRACE_SINGLESTEP, thread, 0, own_signal(*status)) != 0) failed("PTRACE_SINGLESTEP");
  if (waitpid(thread, status, __WALL) < 0) {
    if (errno != EINTR) failed("waitpid");
    if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) failed("PTRACE_INTERRUPT");
    if (waitpid(thread, status, __WALL) < 0) failed("waitpid");
  }
  if (!WIFSTOPPED(*status)) {
    fprintf(stderr, "steps: the thread ended\n");
    exit(1);
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: steps THREAD SECONDS\n");
    return 1;
  }
  pid_t thread = atoi(arguments[1]);
  // No SA_RESTART: waiting for a thread that sleeps ends too.
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = over}, NULL);
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0) failed("PTRACE_SEIZE");
  if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) failed("PTRACE_INTERRUPT");
  int status;
  if (waitpid(thread, &status, __WALL) < 0) failed("waitpid");
  alarm((unsigned)atoi(arguments[2]));
  while (!is_over) {
    note(where(thread));
    step(thread, &status);
  }
  // A thread that was interrupted in a system call has the signal of its step still before it, and would die of it.
  while (status >> 16 != 0) step(thread, &status);
  return ptrace(PTRACE_DETACH, thread, 0, own_signal(status)) == 0 ? 0 : 1;
}
