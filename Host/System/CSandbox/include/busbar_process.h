// SPDX-License-Identifier: Apache-2.0
// What a process with a plugin in it is made of, as plain functions: this header names no system header's types, so that it
// takes none of them away from Swift's Glibc module.
#ifndef BUSBAR_PROCESS_H
#define BUSBAR_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A child process, and packets with a descriptor between the two.

// Starts a program with `null` as 0, `output` as 1 and 2, `socket` as 3, `file` as 4 and nothing else; no signal is blocked
// or ignored. 0 or an errno. All four numbers are above 4.
int busbar_spawn(const char *program, char *const arguments[], char *const environment[], int null, int output,
                 int socket, int file, int32_t *pid);
// Neither end waits.
int busbar_pipe(int ends[2]);
int busbar_packet_pair(int pair[2]);
// Sends one packet, and a descriptor with it unless `passed` is -1. Never waits. As send(2).
ssize_t busbar_send_packet(int fd, const void *bytes, size_t count, int passed);
// Receives one packet and the descriptor that came with it, -1 where none did. Never waits. More than the room given is -2 with
// the packet lost. As recv(2).
ssize_t busbar_receive_packet(int fd, void *bytes, size_t room, int *passed);
// Threads wait in turn for what can be read: a descriptor to wait at, or -1 with errno.
int busbar_turns(int fd);
// Waits until there is a packet or the other end is gone: of the threads that wait the one that came last. It, or another one,
// then asks for the next turn. 1, or -1 with errno.
int busbar_await_turn(int turns);
// Another thread may wake, at once where there is something. 0, or -1 with errno.
int busbar_next_turn(int turns, int fd);
// The same without descriptors: the system drops those that a child sends. Never waits.
ssize_t busbar_receive_plain(int fd, void *bytes, size_t room);
// A memory file with this content that nobody can change any more; -1 with errno.
int busbar_sealed_file(const void *bytes, size_t count);
// Waits for the end of a child that is on its way out; 1 = it has ended, and still has to be waited for. 0 where it lives on.
int busbar_ends(int32_t pid);
// Where this process crashes, the packet is sent first, with the most memory that it had, bytes, at `place` as eight bytes.
// 0, or -1 with errno.
int busbar_last_words(int socket, const uint8_t *packet, size_t length, size_t place);
// The most memory that this process has had, KiB.
long busbar_own_peak_kilobytes(void);
int busbar_wait(int32_t pid, int *status, long *peak_kilobytes);
// User and group of a name; 0 where there is none.
int busbar_find_user(const char *name, uint32_t *user, uint32_t *group);
// Nobody but root may look into this process or its memory.
int busbar_hide_process(void);

// Landlock for files, seccomp for system calls, limits. 0, or -1 with errno, unless it says otherwise.

#define BUSBAR_LANDLOCK_READ_FILE (1ull << 2)
#define BUSBAR_LANDLOCK_READ_DIRECTORY (1ull << 3)

// 0 where the system has none.
int busbar_landlock_version(void);
// A set of rules that forbids all this version knows of; -1 with errno.
int busbar_landlock_create(int version);
int busbar_landlock_allow(int rules, int parent, uint64_t allowed);
int busbar_landlock_enter(int rules);
int busbar_open_path(const char *path);
// Another user, without any further group, for good.
int busbar_become(uint32_t user, uint32_t group);
// Threads without a wish of their own get 1 MiB of stack: stacks count as memory.
int busbar_small_stacks(void);
int busbar_no_new_privileges(void);
int busbar_end_with_parent(void);
int busbar_limit_data(uint64_t bytes);
int busbar_limit_descriptors(uint64_t count);
int busbar_limit_threads(uint64_t count);
int busbar_limit_cores(void);
int busbar_limit_locked(void);
int busbar_limit_queued(void);
// A list of what is allowed: what is new in a later kernel is not. A plugin computes, waits, and reads and writes the
// descriptors that it was handed.
int busbar_seccomp_enter(void);
// On top of it, once the plugin is loaded: no file by its name any more.
int busbar_seccomp_close_files(void);

#endif
