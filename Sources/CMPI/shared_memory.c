#define _GNU_SOURCE
#include "shared_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

// Writing through this file fails with an error number where a store would end the process.
bool shared_memory_populate_by_writing(void *start, int64_t bytes) {
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) return true;
  long page = sysconf(_SC_PAGESIZE);
  bool is_there = true;
  for (int64_t offset = 0; is_there && offset < bytes; offset += page) {
    off_t place = (off_t)((uintptr_t)start + (uintptr_t)offset);
    char byte = 0;
    is_there = pread(memory, &byte, 1, place) == 1 && pwrite(memory, &byte, 1, place) == 1;
  }
  close(memory);
  return is_there;
}

bool shared_memory_populate(void *start, int64_t bytes) {
#ifdef MADV_POPULATE_WRITE
  while (madvise(start, (size_t)bytes, MADV_POPULATE_WRITE) != 0) {
    // Linux knows it since version 5.14.
    if (errno == EINVAL) return shared_memory_populate_by_writing(start, bytes);
    if (errno != EINTR && errno != EAGAIN) return false;
  }
  return true;
#else
  return shared_memory_populate_by_writing(start, bytes);
#endif
}

const char *shared_memory_directory(void) {
  const char *directory = getenv("OMPI_MCA_osc_sm_backing_directory");
  return directory ? directory : "/dev/shm";
}

// A file of this user: everybody may open the folder itself, and whoever locks it would hold up all jobs.
static bool turn_path(char *path, size_t size) {
  int length = snprintf(path, size, "%s/.sqair-dist-%u.lock", shared_memory_directory(), (unsigned)geteuid());
  return length >= 0 && (size_t)length < size;
}

// Whether the file that is open is the one that has the name now, and is of this user.
static bool is_turn_file(int descriptor, const char *path) {
  struct stat opened, named;
  return fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) && opened.st_uid == geteuid() &&
         lstat(path, &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

int shared_memory_begin_turn(int seconds) {
  char path[4096];
  if (!turn_path(path, sizeof path)) return -1;
  for (int tenths = 10 * seconds; tenths >= 0; tenths--) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (descriptor < 0) return -1;
    bool is_locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    // Whoever had the lock before may have removed the file meanwhile.
    if (is_locked && is_turn_file(descriptor, path)) return descriptor;
    int reason = errno;
    close(descriptor);
    // On a file system without locks there is nobody to wait for.
    if (!is_locked && reason != EWOULDBLOCK && reason != EINTR) return -1;
    usleep(100000);
  }
  return -1;
}

void shared_memory_end_turn(int descriptor) {
  if (descriptor < 0) return;
  char path[4096];
  // While it is locked, so that nobody else can have it.
  if (turn_path(path, sizeof path) && is_turn_file(descriptor, path)) unlink(path);
  close(descriptor);
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
