// SPDX-License-Identifier: Apache-2.0
// What a process gives up before it loads a plugin: Landlock for files, seccomp for system calls.
#define _GNU_SOURCE 1
#include "busbar_process.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Landlock. Numbers from landlock(7); the header of Debian 12 ends with version 2.

struct busbar_landlock_attributes { uint64_t files, network, scoped; };
struct busbar_landlock_path { uint64_t allowed; int32_t parent; } __attribute__((packed));


// 0 where the system has none.
int busbar_landlock_version(void) {
  long version = syscall(444, 0, 0, 1u);
  return version < 0 ? 0 : (int)version;
}

// A set of rules that forbids all this version knows of; -1 with errno.
int busbar_landlock_create(int version) {
  struct busbar_landlock_attributes all = {(1ull << 13) - 1, 0, 0};
  size_t size = 8;
  if (version >= 2) all.files |= 1ull << 13; // moving between directories
  if (version >= 3) all.files |= 1ull << 14; // truncating
  if (version >= 4) { all.network = 3; size = 16; } // binding and connecting TCP
  if (version >= 5) all.files |= 1ull << 15; // ioctl of devices
  if (version >= 6) { all.scoped = 3; size = 24; } // abstract Unix sockets and signals outside
  return (int)syscall(444, &all, size, 0u);
}

int busbar_landlock_allow(int rules, int parent, uint64_t allowed) {
  struct busbar_landlock_path path = {allowed, parent};
  return (int)syscall(445, rules, 1u, &path, 0u);
}

int busbar_landlock_enter(int rules) { return (int)syscall(446, rules, 0u); }

int busbar_open_path(const char *path) { return open(path, 010000000 /* O_PATH */ | O_CLOEXEC); }

// Another user, without any further group, for good.
int busbar_become(uint32_t user, uint32_t group) {
  if (setgroups(0, 0) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) return -1;
  return 0;
}

int busbar_small_stacks(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  int code = pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  errno = code;
  return code == 0 ? 0 : -1;
}

int busbar_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
int busbar_end_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

static inline int busbar_limit(int what, uint64_t value) {
  struct rlimit limit = {value, value};
  return setrlimit((__typeof__(RLIMIT_CORE))what, &limit);
}
int busbar_limit_data(uint64_t bytes) { return busbar_limit(RLIMIT_DATA, bytes); }
int busbar_limit_descriptors(uint64_t count) { return busbar_limit(RLIMIT_NOFILE, count); }
int busbar_limit_threads(uint64_t count) { return busbar_limit(RLIMIT_NPROC, count); }
int busbar_limit_cores(void) { return busbar_limit(RLIMIT_CORE, 0); }
int busbar_limit_locked(void) { return busbar_limit(RLIMIT_MEMLOCK, 0); }
int busbar_limit_queued(void) { return busbar_limit(RLIMIT_MSGQUEUE, 0); }

// seccomp

#if defined(__x86_64__)
#define BUSBAR_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define BUSBAR_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "system calls are known for amd64 and arm64"
#endif

#define BUSBAR_FILTER_ROOM 1024
struct busbar_filter { struct sock_filter code[BUSBAR_FILTER_ROOM]; unsigned short count; };

static inline void busbar_put(struct busbar_filter *filter, unsigned short code, uint32_t value, uint8_t yes, uint8_t no) {
  struct sock_filter line = {code, yes, no, value};
  if (filter->count < BUSBAR_FILTER_ROOM) filter->code[filter->count++] = line;
}

enum { BUSBAR_ERRNO = (int)SECCOMP_RET_ERRNO };
#define BUSBAR_LOAD(f, what) busbar_put(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(what), 0, 0)
#define BUSBAR_ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define BUSBAR_RETURN(f, value) busbar_put(f, BPF_RET | BPF_K, (uint32_t)(value), 0, 0)
#define BUSBAR_REFUSE(f, code) BUSBAR_RETURN(f, SECCOMP_RET_ERRNO | (uint32_t)(code))
#define BUSBAR_ALLOW(f) BUSBAR_RETURN(f, SECCOMP_RET_ALLOW)
// The next `n` lines only for this system call. They end with a return.
#define BUSBAR_CALL(f, number, n) busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(number), 0, n)

static inline void busbar_start_filter(struct busbar_filter *filter) {
  filter->count = 0;
  BUSBAR_LOAD(filter, offsetof(struct seccomp_data, arch));
  busbar_put(filter, BPF_JMP | BPF_JEQ | BPF_K, BUSBAR_AUDIT_ARCH, 1, 0);
  BUSBAR_RETURN(filter, SECCOMP_RET_KILL_PROCESS);
  BUSBAR_LOAD(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
  // The numbers of x32 are other doors into the same house.
  busbar_put(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1);
  BUSBAR_REFUSE(filter, ENOSYS);
#endif
}

static inline void busbar_answer_all(struct busbar_filter *filter, const int *calls, size_t count, uint32_t answer) {
  for (size_t i = 0; i < count; i++) {
    BUSBAR_CALL(filter, calls[i], 1);
    BUSBAR_RETURN(filter, answer);
  }
}

// An argument must be this number, else EPERM. (Process ids, operations: the upper half is not looked at by the system.)
static inline void busbar_allow_where(struct busbar_filter *filter, int call, int argument, uint32_t value) {
  BUSBAR_CALL(filter, call, 4);
  BUSBAR_LOAD(filter, BUSBAR_ARGUMENT(argument));
  busbar_put(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  BUSBAR_ALLOW(filter);
  BUSBAR_REFUSE(filter, EPERM);
}

// None of these bits may be set, else the error.
static inline void busbar_allow_without(struct busbar_filter *filter, int call, int argument, uint32_t bits, int error) {
  BUSBAR_CALL(filter, call, 4);
  BUSBAR_LOAD(filter, BUSBAR_ARGUMENT(argument));
  busbar_put(filter, BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
  BUSBAR_ALLOW(filter);
  BUSBAR_REFUSE(filter, error);
}

static inline int busbar_install(struct busbar_filter *filter) {
  struct sock_fprog program = {filter->count, filter->code};
  if (filter->count == BUSBAR_FILTER_ROOM) { errno = E2BIG; return -1; }
  return (int)syscall(SYS_seccomp, 1u /* SECCOMP_SET_MODE_FILTER */, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

#define BUSBAR_EACH(calls) calls, sizeof(calls) / sizeof *(calls)

// A list of what is allowed: what is new in a later kernel is not. A plugin computes, waits, and reads and writes the
// descriptors that it was handed.
int busbar_seccomp_enter(void) {
  static const int frequent[] = {
    __NR_futex, __NR_read, __NR_write, __NR_recvmsg, __NR_recvfrom, __NR_ppoll,
#ifdef __NR_poll
    __NR_poll,
#endif
  };
  static const int allowed[] = {
    // memory
    __NR_brk, __NR_munmap, __NR_mremap, __NR_mprotect, __NR_madvise, __NR_msync, __NR_mincore, __NR_membarrier,
    // descriptors
    __NR_close, __NR_close_range, __NR_dup, __NR_dup3, __NR_pipe2, __NR_eventfd2, __NR_lseek, __NR_readv, __NR_writev,
    __NR_pread64, __NR_pwrite64, __NR_preadv, __NR_pwritev, __NR_fstat, __NR_newfstatat, __NR_pselect6, __NR_epoll_create1,
    __NR_epoll_ctl, __NR_epoll_pwait, __NR_timerfd_create, __NR_timerfd_settime, __NR_timerfd_gettime, __NR_recvmmsg,
    __NR_shutdown, __NR_getsockname, __NR_getpeername, __NR_getsockopt, __NR_setsockopt, __NR_readlinkat, __NR_faccessat,
    __NR_getcwd, __NR_fstatfs,
#ifdef __NR_epoll_wait
    __NR_epoll_wait, __NR_select, __NR_pause, __NR_dup2, __NR_pipe, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_arch_prctl,
    __NR_time,
#endif
    // time, threads, signals to itself
    __NR_clock_gettime, __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep, __NR_gettimeofday, __NR_times, __NR_getitimer,
    __NR_timer_create, __NR_timer_settime, __NR_timer_gettime, __NR_timer_getoverrun, __NR_timer_delete, __NR_sched_yield,
    __NR_sched_getaffinity, __NR_sched_getparam, __NR_sched_getscheduler, __NR_sched_get_priority_max,
    __NR_sched_get_priority_min, __NR_getcpu, __NR_set_tid_address, __NR_set_robust_list, __NR_get_robust_list, __NR_rseq,
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_rt_sigpending, __NR_rt_sigsuspend, __NR_rt_sigtimedwait,
    __NR_sigaltstack, __NR_restart_syscall, __NR_exit, __NR_exit_group,
    // what it may know
    __NR_getpid, __NR_gettid, __NR_getppid, __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid, __NR_getrusage, __NR_uname,
    __NR_sysinfo, __NR_getrandom, __NR_getpriority, __NR_capget,
  };
  // Refused in so many words; whatever else there is does not exist (ENOSYS).
  static const int refused[] = {
    __NR_socket, __NR_connect, __NR_bind, __NR_listen, __NR_accept, __NR_accept4, __NR_execve, __NR_execveat, __NR_ptrace,
    __NR_process_vm_readv, __NR_process_vm_writev, __NR_tkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo, __NR_wait4,
    __NR_waitid, __NR_memfd_create, __NR_shmget, __NR_shmat, __NR_mount, __NR_umount2, __NR_chroot, __NR_pivot_root, __NR_unshare,
    __NR_setns, __NR_keyctl, __NR_add_key, __NR_request_key, __NR_bpf, __NR_perf_event_open, __NR_userfaultfd, __NR_setrlimit,
    __NR_setpriority, __NR_sched_setscheduler, __NR_setuid, __NR_setgid, __NR_setresuid, __NR_setresgid, __NR_setgroups,
    __NR_setsid, __NR_setpgid, __NR_capset, __NR_personality, __NR_umask, __NR_chdir, __NR_fchdir, __NR_reboot, __NR_settimeofday,
    __NR_clock_settime, __NR_adjtimex, __NR_init_module, __NR_finit_module, __NR_delete_module, __NR_kexec_load, __NR_swapon,
    __NR_swapoff, __NR_sethostname, __NR_setdomainname, __NR_syslog, __NR_quotactl, __NR_acct, __NR_mkdirat, __NR_unlinkat,
    __NR_renameat2, __NR_linkat, __NR_symlinkat, __NR_fchmod, __NR_fchmodat, __NR_fchown, __NR_fchownat, __NR_mknodat,
    __NR_truncate, __NR_ftruncate, __NR_fallocate, __NR_getdents64, __NR_io_setup, __NR_inotify_init1, __NR_fanotify_init,
    __NR_name_to_handle_at, __NR_open_by_handle_at, __NR_vmsplice, __NR_splice, __NR_tee, __NR_sendfile, __NR_mlock, __NR_mlockall,
#ifdef __NR_fork
    __NR_fork, __NR_vfork, __NR_unlink, __NR_rename, __NR_mkdir, __NR_rmdir, __NR_link, __NR_symlink, __NR_chmod, __NR_chown,
    __NR_creat, __NR_mknod, __NR_iopl, __NR_ioperm, __NR_modify_ldt, __NR_alarm,
#endif
  };
  static struct busbar_filter filter;
  struct busbar_filter *f = &filter;
  uint32_t own = (uint32_t)getpid();
  busbar_start_filter(f);
  busbar_answer_all(f, BUSBAR_EACH(frequent), SECCOMP_RET_ALLOW);
  // No address: a stream that lost its far end cannot be sent to another one, with TCP Fast Open neither.
  BUSBAR_CALL(f, __NR_sendto, 8);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(4));
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(4) + 4);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(3));
  busbar_put(f, BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 1, 0);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  busbar_allow_without(f, __NR_sendmsg, 2, MSG_FASTOPEN, EPERM);
  busbar_allow_without(f, __NR_sendmmsg, 3, MSG_FASTOPEN, EPERM);
  // Memory shared with nobody would not count against the limit.
  BUSBAR_CALL(f, __NR_mmap, 5);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(3));
  busbar_put(f, BPF_ALU | BPF_AND | BPF_K, MAP_SHARED | MAP_ANONYMOUS, 0, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, MAP_SHARED | MAP_ANONYMOUS, 1, 0);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  // Threads, no processes.
  BUSBAR_CALL(f, __NR_clone, 4);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(0));
  busbar_put(f, BPF_JMP | BPF_JSET | BPF_K, 0x00010000u /* CLONE_THREAD */, 0, 1);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  busbar_allow_where(f, __NR_kill, 0, own);
  busbar_allow_where(f, __NR_tgkill, 0, own);
  busbar_allow_where(f, __NR_socketpair, 0, AF_UNIX);
  busbar_allow_where(f, __NR_seccomp, 0, 1);
  // Names only.
  BUSBAR_CALL(f, __NR_prctl, 6);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(0));
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, PR_SET_NAME, 2, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, PR_GET_NAME, 1, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x53564d41u /* PR_SET_VMA */, 0, 1);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  // Not the limits of anybody: only asking.
  BUSBAR_CALL(f, __NR_prlimit64, 6);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(2));
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(2) + 4);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  // No signals to others by way of a descriptor's owner.
  BUSBAR_CALL(f, __NR_fcntl, 8);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(1));
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 8 /* F_SETOWN */, 5, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 10 /* F_SETSIG */, 4, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 15 /* F_SETOWN_EX */, 3, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 1024 /* F_SETLEASE */, 2, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 1026 /* F_NOTIFY */, 1, 0);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  // No input to a terminal, no line discipline, no owner, no network devices (0x89..).
  BUSBAR_CALL(f, __NR_ioctl, 11);
  BUSBAR_LOAD(f, BUSBAR_ARGUMENT(1));
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x5412 /* TIOCSTI */, 8, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x541C /* TIOCLINUX */, 7, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x541D /* TIOCCONS */, 6, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x540E /* TIOCSCTTY */, 5, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x5423 /* TIOCSETD */, 4, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x5452 /* FIOASYNC */, 3, 0);
  busbar_put(f, BPF_ALU | BPF_AND | BPF_K, 0xFF00, 0, 0);
  busbar_put(f, BPF_JMP | BPF_JEQ | BPF_K, 0x8900, 1, 0);
  BUSBAR_ALLOW(f);
  BUSBAR_REFUSE(f, EPERM);
  // Reading only; what, Landlock says.
  busbar_allow_without(f, __NR_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, EACCES);
#ifdef __NR_open
  busbar_allow_without(f, __NR_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, EACCES);
#endif
  busbar_answer_all(f, BUSBAR_EACH(allowed), SECCOMP_RET_ALLOW);
  busbar_answer_all(f, BUSBAR_EACH(refused), SECCOMP_RET_ERRNO | EPERM);
  BUSBAR_REFUSE(f, ENOSYS);
  return busbar_install(f);
}

// On top of it, once the plugin is loaded: no file by its name any more.
int busbar_seccomp_close_files(void) {
  static const int names[] = {
    __NR_openat, __NR_readlinkat, __NR_faccessat, __NR_getcwd,
#ifdef __NR_open
    __NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink,
#endif
  };
  static struct busbar_filter filter;
  busbar_start_filter(&filter);
  busbar_answer_all(&filter, BUSBAR_EACH(names), SECCOMP_RET_ERRNO | EACCES);
  // By descriptor it may still ask (AT_EMPTY_PATH: this is how fstat comes).
  BUSBAR_CALL(&filter, __NR_newfstatat, 4);
  BUSBAR_LOAD(&filter, BUSBAR_ARGUMENT(3));
  busbar_put(&filter, BPF_JMP | BPF_JSET | BPF_K, 0x1000, 0, 1);
  BUSBAR_ALLOW(&filter);
  BUSBAR_REFUSE(&filter, EACCES);
  BUSBAR_ALLOW(&filter);
  return busbar_install(&filter);
}
