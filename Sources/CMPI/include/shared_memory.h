// What processes need that share memory: waiting for each other, and dividing work.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// A place where processes wait for each other. In shared memory; zeros at the start.
struct shared_barrier {
  uint32_t arrived;
  uint32_t round;
};

/// Waits until `count` processes have come. What each wrote before is visible to all afterwards. A process that waits
/// for long sleeps; `spins` is how often it looks before.
void shared_barrier_wait(struct shared_barrier *barrier, uint32_t count, int spins);

/// The next number, which no other process receives. In shared memory.
int64_t shared_counter_next(int64_t *counter);

/// Sets the next number, while no process asks for one.
void shared_counter_set(int64_t *counter, int64_t next);

/// Takes the pages of some memory now. Returns whether the system has given them; without this, a process that writes to
/// a page of shared memory that is not there ends by SIGBUS. No other process may use the memory meanwhile. True where
/// the system cannot tell.
bool shared_memory_populate(void *start, int64_t bytes);

/// The same on systems without a call for it.
bool shared_memory_populate_by_writing(void *start, int64_t bytes);

/// The folder in which Open MPI keeps shared memory until all ranks have mapped it.
const char *shared_memory_directory(void);

/// Waits, for `seconds` at most, until no other job of this user on this host is between its look at the free shared
/// memory and the memory itself. Returns a descriptor for `shared_memory_end_turn`, or -1. The lock is on an empty file
/// in `shared_memory_directory` that goes with the turn.
int shared_memory_begin_turn(int seconds);
void shared_memory_end_turn(int descriptor);

/// Memory of this process that further calls of `shared_memory_map` map at other addresses: a descriptor, or -1.
int shared_memory_create(int64_t bytes);
void *shared_memory_map(int descriptor, int64_t bytes);
void shared_memory_unmap(void *start, int64_t bytes);
