#define _GNU_SOURCE
#include "shared_memory.h"
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// A process that waits in MPI looks for messages again and again. Where ranks outnumber cores, that takes time from those
// that they wait for; here a rank sleeps until the last has come.
void shared_barrier_wait(struct shared_barrier *barrier, uint32_t count, int spins) {
  uint32_t round = __atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == count) {
    __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&barrier->round, round + 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &barrier->round, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    return;
  }
  for (int i = 0; i < spins; i++) {
    if (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) != round) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  while (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) == round)
    syscall(SYS_futex, &barrier->round, FUTEX_WAIT, round, NULL, NULL, 0);
}

int64_t shared_counter_next(int64_t *counter) { return __atomic_fetch_add(counter, 1, __ATOMIC_ACQ_REL); }

void shared_counter_set(int64_t *counter, int64_t next) { __atomic_store_n(counter, next, __ATOMIC_RELEASE); }

bool shared_memory_populate(void *start, int64_t bytes) {
#ifdef MADV_POPULATE_WRITE
  while (madvise(start, (size_t)bytes, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINVAL) return true;
    if (errno != EINTR && errno != EAGAIN) return false;
  }
#endif
  return true;
}

int shared_memory_create(int64_t bytes) {
  int descriptor = memfd_create("sqair-dist", MFD_CLOEXEC);
  if (descriptor < 0) return -1;
  if (ftruncate(descriptor, bytes) == 0) return descriptor;
  close(descriptor);
  return -1;
}

void *shared_memory_map(int descriptor, int64_t bytes) {
  void *start = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return start == MAP_FAILED ? NULL : start;
}

void shared_memory_unmap(void *start, int64_t bytes) { munmap(start, (size_t)bytes); }
