// SPDX-License-Identifier: Apache-2.0
// Swift's Mutex locks by one instruction that ThreadSanitizer sees, or, where another thread has it, in a library that it does not see:
// the kernel hands the lock over. Put before that library, these tell the sanitizer what happened there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Programs without the sanitizer, which are started too, have none of it.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

// The handle is `self` of a Swift method.
typedef void (*Lock)(uint32_t thread, __attribute__((swift_context)) void *handle) __attribute__((swiftcall));
typedef void (*Unlock)(__attribute__((swift_context)) void *handle) __attribute__((swiftcall));

__attribute__((swiftcall)) void busbar_lock(uint32_t thread, __attribute__((swift_context)) void *handle) __asm__(LOCK);
__attribute__((swiftcall)) void busbar_unlock(__attribute__((swift_context)) void *handle) __asm__(UNLOCK);

__attribute__((swiftcall)) void busbar_lock(uint32_t thread, __attribute__((swift_context)) void *handle) {
  ((Lock)dlsym(RTLD_NEXT, LOCK))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

__attribute__((swiftcall)) void busbar_unlock(__attribute__((swift_context)) void *handle) {
  if (__tsan_release) __tsan_release(handle);
  ((Unlock)dlsym(RTLD_NEXT, UNLOCK))(handle);
}
