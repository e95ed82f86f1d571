#include "cmpi.h"
#include "shared_memory.h"
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MAXIMUM_WINDOWS = 16, PAGE = 4096, WINDOW_OVERHEAD = 1 << 20 };

// MPI counts are `int`; longer buffers go in pieces of this many elements.
enum { PIECE = 1 << 30 };

int cmpi_start(int *thread_level) {
  int granted = MPI_THREAD_SINGLE;
  int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &granted);
  if (status != MPI_SUCCESS) return status;
  *thread_level = granted == MPI_THREAD_MULTIPLE     ? CMPI_MULTIPLE
                  : granted == MPI_THREAD_SERIALIZED ? CMPI_SERIALIZED
                  : granted == MPI_THREAD_FUNNELED   ? CMPI_FUNNELED
                                                     : CMPI_SINGLE;
  return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

bool cmpi_running(void) {
  int begun = 0, ended = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  return begun && !ended;
}

int cmpi_finish(void) {
  if (!cmpi_running()) return 0;
  for (int window = 0; window < MAXIMUM_WINDOWS; window++) cmpi_end_sharing(window);
  return MPI_Finalize();
}

void cmpi_abort(int code) {
  if (cmpi_running()) MPI_Abort(MPI_COMM_WORLD, code);
  _Exit(code);
}

int cmpi_rank(int *rank) { return MPI_Comm_rank(MPI_COMM_WORLD, rank); }

int cmpi_size(int *size) { return MPI_Comm_size(MPI_COMM_WORLD, size); }

// The ranks of this host.
static MPI_Comm host = MPI_COMM_NULL;

int cmpi_rank_on_host(int *rank_on_host, int *ranks_on_host) {
  int status = MPI_SUCCESS;
  if (host == MPI_COMM_NULL) {
    status = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    if (status == MPI_SUCCESS) status = MPI_Comm_set_errhandler(host, MPI_ERRORS_RETURN);
  }
  if (status == MPI_SUCCESS) status = MPI_Comm_rank(host, rank_on_host);
  if (status == MPI_SUCCESS) status = MPI_Comm_size(host, ranks_on_host);
  return status;
}

int cmpi_first_rank_on_host(int *first) {
  int status = MPI_Comm_rank(MPI_COMM_WORLD, first);
  return status == MPI_SUCCESS ? MPI_Bcast(first, 1, MPI_INT, 0, host) : status;
}

static MPI_Win windows[MAXIMUM_WINDOWS];
static bool is_open[MAXIMUM_WINDOWS];

static bool fits_in_shared_memory(int64_t bytes) {
  const char *directory = shared_memory_directory();
  struct statvfs state;
  if (statvfs(directory, &state) != 0 || access(directory, W_OK) != 0) return false;
  // The window is a file, which `ulimit -f` limits; Open MPI puts some pages of its own before the memory.
  struct rlimit size;
  if (getrlimit(RLIMIT_FSIZE, &size) != 0) return false;
  if (size.rlim_cur != RLIM_INFINITY && size.rlim_cur < (rlim_t)bytes + WINDOW_OVERHEAD) return false;
  return (int64_t)state.f_bavail * (int64_t)state.f_frsize >= bytes;
}

int cmpi_share(int64_t bytes, void **start, int *window) {
  *start = NULL;
  int rank = 0, slot = 0;
  int status = MPI_Comm_rank(host, &rank);
  if (status != MPI_SUCCESS) return status;
  while (slot < MAXIMUM_WINDOWS && is_open[slot]) slot++;
  // Open MPI leaves the other ranks waiting for ever if the first cannot have the memory, so it looks first.
  int possible = slot < MAXIMUM_WINDOWS && (rank != 0 || fits_in_shared_memory(bytes + PAGE));
  status = MPI_Bcast(&possible, 1, MPI_INT, 0, host);
  if (status != MPI_SUCCESS || !possible) return status;
  void *own = NULL, *base = NULL;
  status = MPI_Win_allocate_shared(rank == 0 ? bytes + PAGE : 0, 1, MPI_INFO_NULL, host, &own, &windows[slot]);
  if (status != MPI_SUCCESS) return status;
  is_open[slot] = true;
  MPI_Aint size = 0;
  int unit = 0;
  status = MPI_Win_shared_query(windows[slot], 0, &size, &unit, &base);
  // The memory is used with loads and stores; an epoch that never ends allows them.
  if (status == MPI_SUCCESS) status = MPI_Win_lock_all(MPI_MODE_NOCHECK, windows[slot]);
  // Mappings begin at pages, so this is the same place on all ranks.
  *start = (void *)(((uintptr_t)base + PAGE - 1) / PAGE * PAGE);
  *window = slot;
  return status;
}

int cmpi_end_sharing(int window) {
  if (window < 0 || window >= MAXIMUM_WINDOWS || !is_open[window] || !cmpi_running()) return 0;
  is_open[window] = false;
  int status = MPI_Win_unlock_all(windows[window]);
  return status == MPI_SUCCESS ? MPI_Win_free(&windows[window]) : status;
}

int cmpi_host_name(char *name, int capacity) {
  char whole[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  int status = MPI_Get_processor_name(whole, &length);
  snprintf(name, (size_t)capacity, "%s", whole);
  return status;
}

int cmpi_standard_version(int *major, int *minor) { return MPI_Get_version(major, minor); }

int cmpi_library_version(char *text, int capacity) {
  char whole[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  int status = MPI_Get_library_version(whole, &length);
  snprintf(text, (size_t)capacity, "%s", whole);
  return status;
}

void cmpi_error_text(int status, char *text, int capacity) {
  char whole[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (!cmpi_running() || MPI_Error_string(status, whole, &length) != MPI_SUCCESS)
    snprintf(whole, sizeof whole, "MPI error code %d", status);
  snprintf(text, (size_t)capacity, "%s", whole);
}

int cmpi_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }

int cmpi_reduce(void *values, int64_t count, enum cmpi_element element, enum cmpi_operation operation) {
  MPI_Datatype types[] = {MPI_FLOAT, MPI_DOUBLE, MPI_INT64_T};
  int64_t widths[] = {sizeof(float), sizeof(double), sizeof(int64_t)};
  MPI_Op operations[] = {MPI_SUM, MPI_MAX, MPI_MIN};
  for (int64_t first = 0; first < count; first += PIECE) {
    int piece = (int)(count - first < PIECE ? count - first : PIECE);
    char *start = (char *)values + first * widths[element];
    int status = MPI_Allreduce(MPI_IN_PLACE, start, piece, types[element], operations[operation], MPI_COMM_WORLD);
    if (status != MPI_SUCCESS) return status;
  }
  return 0;
}

int cmpi_broadcast(void *bytes, int64_t count, int root) {
  for (int64_t first = 0; first < count; first += PIECE) {
    int piece = (int)(count - first < PIECE ? count - first : PIECE);
    int status = MPI_Bcast((char *)bytes + first, piece, MPI_BYTE, root, MPI_COMM_WORLD);
    if (status != MPI_SUCCESS) return status;
  }
  return 0;
}

int cmpi_all_gather_int64(int64_t mine, int64_t *all) {
  return MPI_Allgather(&mine, 1, MPI_INT64_T, all, 1, MPI_INT64_T, MPI_COMM_WORLD);
}

int cmpi_gather(const void *mine, const int64_t *sizes, void *all, int root) {
  int rank = 0, size = 0;
  int status = cmpi_rank(&rank);
  if (status == MPI_SUCCESS) status = cmpi_size(&size);
  if (status != MPI_SUCCESS) return status;

  int *counts = calloc((size_t)size, sizeof(int)), *starts = calloc((size_t)size, sizeof(int));
  if (!counts || !starts) {
    free(counts);
    free(starts);
    return MPI_ERR_NO_MEM;
  }
  int64_t total = 0;
  for (int r = 0; r < size && total <= INT_MAX; r++) {
    counts[r] = (int)sizes[r];
    starts[r] = (int)total;
    total += sizes[r];
  }
  // Every rank sees the same sizes, so every rank takes the same branch and none waits for another.
  status = total > INT_MAX ? MPI_ERR_COUNT
                           : MPI_Gatherv(mine, counts[rank], MPI_BYTE, all, counts, starts, MPI_BYTE, root,
                                         MPI_COMM_WORLD);
  free(counts);
  free(starts);
  return status;
}

int cmpi_all_to_all_floats(const float *values, const int32_t *send_counts, const int32_t *send_starts, float *received,
                         const int32_t *receive_counts, const int32_t *receive_starts) {
  return MPI_Alltoallv(values, send_counts, send_starts, MPI_FLOAT, received, receive_counts, receive_starts, MPI_FLOAT,
                       MPI_COMM_WORLD);
}

int cmpi_all_gather_floats(float *values, const int32_t *counts, const int32_t *starts) {
  return MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_FLOAT, values, counts, starts, MPI_FLOAT, MPI_COMM_WORLD);
}

// Heartbeats have a communicator of their own: a message of the training is never taken for one.
static MPI_Comm heartbeats = MPI_COMM_NULL;
static MPI_Request sending = MPI_REQUEST_NULL;
static char sent_heartbeat[CMPI_HEARTBEAT_BYTES];

int cmpi_open_heartbeats(const void *mine, void *heard) {
  int rank = 0, size = 0;
  int status = MPI_Comm_dup(MPI_COMM_WORLD, &heartbeats);
  if (status == MPI_SUCCESS) status = MPI_Comm_rank(heartbeats, &rank);
  if (status == MPI_SUCCESS) status = MPI_Comm_size(heartbeats, &size);
  if (status != MPI_SUCCESS) return status;
  return MPI_Sendrecv(
      mine, CMPI_HEARTBEAT_BYTES, MPI_BYTE, (rank + 1) % size, 0, heard, CMPI_HEARTBEAT_BYTES, MPI_BYTE,
      (rank + size - 1) % size, 0, heartbeats, MPI_STATUS_IGNORE);
}

int cmpi_exchange_heartbeats(const void *mine, void *heard, bool *is_sent, bool *has_come) {
  *is_sent = *has_come = false;
  int rank = 0, size = 0, done = 0;
  int status = MPI_Comm_rank(heartbeats, &rank);
  if (status == MPI_SUCCESS) status = MPI_Comm_size(heartbeats, &size);
  if (status == MPI_SUCCESS) status = MPI_Test(&sending, &done, MPI_STATUS_IGNORE);
  if (status == MPI_SUCCESS && done && mine) {
    memcpy(sent_heartbeat, mine, CMPI_HEARTBEAT_BYTES);
    status = MPI_Isend(sent_heartbeat, CMPI_HEARTBEAT_BYTES, MPI_BYTE, (rank + 1) % size, 0, heartbeats, &sending);
    *is_sent = status == MPI_SUCCESS;
  }
  // Several may have come. Small messages arrive whole, so the receive of one that is there does not wait.
  for (int found = 1; status == MPI_SUCCESS && found;) {
    int previous = (rank + size - 1) % size;
    status = MPI_Iprobe(previous, 0, heartbeats, &found, MPI_STATUS_IGNORE);
    if (status != MPI_SUCCESS || !found) break;
    status = MPI_Recv(heard, CMPI_HEARTBEAT_BYTES, MPI_BYTE, previous, 0, heartbeats, MPI_STATUS_IGNORE);
    if (status == MPI_SUCCESS) *has_come = true;
  }
  return status;
}
