// SPDX-License-Identifier: Apache-2.0
// Runs as the service does and says, a line each, what gets through its sandbox: what the processes of plugins need to lock
// themselves in, and what nobody may. A line is a name and "yes", or the error.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

static void say(const char *name, int good) {
  printf("%s %s\n", name, good ? "yes" : strerrorname_np(errno));
  fflush(stdout);
}

static int sends_descriptor(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 0;
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  char byte = 'x';
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &(int){1}, sizeof(int));
  return sendmsg(ends[0], &message, 0) == 1 && recvmsg(ends[1], &message, 0) == 1;
}

static int starts_process(void) {
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/true", "true", (char *)NULL);
    _exit(127);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int landlocks(void) {
  struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE};
  int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (rules < 0) return 0;
  struct landlock_path_beneath_attr usr = {
      .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = open("/usr", O_PATH | O_CLOEXEC)};
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &usr, 0) != 0) return 0;
  return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

static int filters(void) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog program = {1, &allow};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

int main(void) {
  // Needed.
  say("process", starts_process());
  say("descriptor", sends_descriptor());
  int memory = memfd_create("batch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  say("memory", memory >= 0 && ftruncate(memory, 4096) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  say("limits", setrlimit(RLIMIT_DATA, &(struct rlimit){1 << 28, 1 << 28}) == 0);
  say("not-dumpable", prctl(PR_SET_DUMPABLE, 0) == 0);
  say("no-new-privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  // Forbidden.
  say("write-etc", open("/etc/busbar/busbar.yaml", O_WRONLY | O_CLOEXEC) >= 0);
  say("see-home", open("/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
  say("become-root", setuid(0) == 0);
  say("mount", mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
  say("namespace", unshare(CLONE_NEWUSER) == 0);
  say("packets", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  say("executable-memory", mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
  // Last, for they stay.
  say("landlock", landlocks());
  say("seccomp", filters());
  return 0;
}
