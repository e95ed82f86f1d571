// MPI without its macros: MPI_COMM_WORLD, in place, blocking. Swift cannot see the handles of <mpi.h>, so every
// call the trainer needs is one plain function here.
//
// A function that returns `int` returns 0 when it worked and an MPI error code when it did not;
// `cmpi_error_text` says in words what the code means.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// How many threads of a process may call MPI, as granted by the library. Higher allows more.
enum cmpi_thread_level { CMPI_SINGLE = 0, CMPI_FUNNELED = 1, CMPI_SERIALIZED = 2, CMPI_MULTIPLE = 3 };
enum cmpi_element { CMPI_FLOAT = 0, CMPI_DOUBLE = 1, CMPI_INT64 = 2 };
enum cmpi_operation { CMPI_SUM = 0, CMPI_MAXIMUM = 1, CMPI_MINIMUM = 2 };

/// Starts MPI, asks for MPI_THREAD_MULTIPLE, stores what was granted, and makes later errors return instead of abort.
int cmpi_start(int *thread_level);

/// True between MPI_Init and MPI_Finalize.
bool cmpi_running(void);

/// Ends MPI; does nothing when it is not running.
int cmpi_finish(void);

/// Ends every process of the job with `code`. Does not return.
void cmpi_abort(int code) __attribute__((noreturn));

int cmpi_rank(int *rank);
int cmpi_size(int *size);

/// Index of this rank among the ranks that share its memory (its host), and their number.
int cmpi_rank_on_host(int *rank_on_host, int *ranks_on_host);

/// The first of the ranks of this host. To be called after `cmpi_rank_on_host`, by all ranks.
int cmpi_first_rank_on_host(int *first);

/// Memory that all ranks of this host see, of zeros, aligned to a page: an MPI shared-memory window. All ranks of the host
/// call this. `start` is NULL on all of them if the host has no room for it in /dev/shm, or forbids it
/// (`ulimit -f` limits it too).
///
/// The window has no name in the file system once all ranks have mapped it, so ranks that are killed leave nothing.
int cmpi_share(int64_t bytes, void **start, int *window);

/// Gives the memory of a window back. All ranks of the host call this; those that are left are freed by `cmpi_finish`.
int cmpi_end_sharing(int window);

/// The host's name as MPI knows it, zero-terminated, cut to `capacity`.
int cmpi_host_name(char *name, int capacity);

/// The library's own version line, zero-terminated, cut to `capacity`.
int cmpi_library_version(char *text, int capacity);

/// The version of the MPI standard that the library follows.
int cmpi_standard_version(int *major, int *minor);

/// What an error code means, zero-terminated, cut to `capacity`.
void cmpi_error_text(int status, char *text, int capacity);

/// Waits until every rank is here.
int cmpi_barrier(void);

/// Replaces `values[i]` on every rank by its sum, maximum or minimum over the ranks.
int cmpi_reduce(void *values, int64_t count, enum cmpi_element element, enum cmpi_operation operation);

/// Copies `count` bytes from `root` to every rank.
int cmpi_broadcast(void *bytes, int64_t count, int root);

/// Every rank's `mine` on every rank: `all` has room for one number a rank.
int cmpi_all_gather_int64(int64_t mine, int64_t *all);

/// Joins the bytes of all ranks, in rank order, in `all` on `root` (which alone may pass a real pointer).
/// `sizes` are the byte counts of all ranks, on every rank. Their sum must fit in 31 bits, else all ranks are refused.
int cmpi_gather(const void *mine, const int64_t *sizes, void *all, int root);

/// Sends `send_counts[r]` floats from `values + send_starts[r]` to every rank r, and puts the `receive_counts[r]`
/// floats that come from it at `received + receive_starts[r]`. Each pair of ranks agrees on its counts; 0: no message.
int cmpi_all_to_all_floats(const float *values, const int32_t *send_counts, const int32_t *send_starts, float *received,
                         const int32_t *receive_counts, const int32_t *receive_starts);

/// Copies the `counts[r]` floats at `values + starts[r]` of every rank r to the same place on all ranks.
int cmpi_all_gather_floats(float *values, const int32_t *counts, const int32_t *starts);

/// Bytes of a heartbeat.
enum { CMPI_HEARTBEAT_BYTES = 512 };

/// Prepares heartbeats, which go round the ranks beside all other messages, and exchanges the first. Every rank calls
/// this, and waits for its neighbours.
int cmpi_open_heartbeats(const void *mine, void *heard);

/// Sends `mine` (if it is not null and the last one has left) to the next rank, and stores the latest heartbeat of the
/// rank before this one in `heard`. Never waits; needs CMPI_MULTIPLE if another thread may be in MPI.
int cmpi_exchange_heartbeats(const void *mine, void *heard, bool *is_sent, bool *has_come);
