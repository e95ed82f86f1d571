#include "cmpi.h"
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int cmpi_finish(void) { return cmpi_running() ? MPI_Finalize() : 0; }

void cmpi_abort(int code) {
  if (cmpi_running()) MPI_Abort(MPI_COMM_WORLD, code);
  _Exit(code);
}

int cmpi_rank(int *rank) { return MPI_Comm_rank(MPI_COMM_WORLD, rank); }

int cmpi_size(int *size) { return MPI_Comm_size(MPI_COMM_WORLD, size); }

int cmpi_rank_on_host(int *rank_on_host, int *ranks_on_host) {
  MPI_Comm host;
  int status = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  if (status != MPI_SUCCESS) return status;
  status = MPI_Comm_rank(host, rank_on_host);
  if (status == MPI_SUCCESS) status = MPI_Comm_size(host, ranks_on_host);
  int freed = MPI_Comm_free(&host);
  return status != MPI_SUCCESS ? status : freed;
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
