#include "library.h"
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char error_text[1024];
static int lacks_memory;

// The innermost entry of HDF5's error stack is the cause; the outer ones say how it was reached.
static herr_t note_cause(unsigned depth, const H5E_error2_t *entry, void *unused) {
  (void)unused;
  if (entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC) lacks_memory = 1;
  if (depth == 0 && entry->desc) snprintf(error_text, sizeof error_text, "%s", entry->desc);
  return 0;
}

// HDF5 calls this where it would print the stack. Only the first failure of a call counts.
static herr_t note_failure(hid_t stack, void *unused) {
  return error_text[0] ? 0 : H5Ewalk2(stack, H5E_WALK_UPWARD, note_cause, unused);
}

// In a thread-safe build the error stack belongs to the thread, so every call sets its handler. HDF5's own clean-up
// at exit is off: it prints of, and may loop over, what a damaged file left open; files of ours are closed by hand.
void hdf5_begin(void) {
  pthread_mutex_lock(&library);
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, note_failure, NULL);
  error_text[0] = 0;
}

int64_t hdf5_end(int64_t status) {
  pthread_mutex_unlock(&library);
  return status;
}

const char *chdf5_error(void) { return error_text; }
int chdf5_lacks_memory(void) { return lacks_memory; }

void chdf5_version(unsigned *major, unsigned *minor, unsigned *release) { H5get_libversion(major, minor, release); }

int chdf5_collect_garbage(void) {
  hdf5_begin();
  return (int)hdf5_end(H5garbage_collect());
}

hid_t hdf5_number_type(int type, int in_file) {
  switch (type) {
    case CHDF5_FLOAT32: return in_file ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT;
    case CHDF5_FLOAT64: return in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
    case CHDF5_UINT8: return in_file ? H5T_STD_U8LE : H5T_NATIVE_UINT8;
    case CHDF5_INT32: return in_file ? H5T_STD_I32LE : H5T_NATIVE_INT32;
    case CHDF5_UINT64: return in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64;
    case CHDF5_INT64: return in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    default: return -1;
  }
}

int hdf5_type_code(hid_t type) {
  size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return size == 4 ? CHDF5_FLOAT32 : size == 8 ? CHDF5_FLOAT64 : CHDF5_OTHER_FLOAT;
    case H5T_INTEGER:
      if (H5Tget_sign(type) == H5T_SGN_2)
        return size == 4 ? CHDF5_INT32 : size == 8 ? CHDF5_INT64 : CHDF5_OTHER_SIGNED;
      return size == 1 ? CHDF5_UINT8 : size == 8 ? CHDF5_UINT64 : CHDF5_OTHER_UNSIGNED;
    case H5T_STRING: return CHDF5_STRING;
    case H5T_ENUM: return size == 1 && H5Tget_nmembers(type) == 2 ? CHDF5_BOOLEAN : CHDF5_OTHER;
    default: return CHDF5_OTHER;
  }
}

// HDF5's own limit on the rank is CHDF5_MAX_RANK (H5S_MAX_RANK) and its hsize_t is 64 bits wide.
_Static_assert(CHDF5_MAX_RANK == H5S_MAX_RANK && sizeof(hsize_t) == sizeof(uint64_t), "dims are passed as they are");

int hdf5_describe(hid_t type, hid_t space, int *code, uint64_t *dims) {
  int rank = -1;
  if (type >= 0 && space >= 0) {
    *code = hdf5_type_code(type);
    rank = H5Sget_simple_extent_dims(space, (hsize_t *)dims, NULL);
  }
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  return rank;
}

hid_t hdf5_space(int rank, const uint64_t *dims) {
  return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, (const hsize_t *)dims, NULL);
}

// Links into other files are not followed: opening a pipe or a device waits forever.
static herr_t refuse_other_file(const char *file, const char *group, const char *other, const char *object,
                                unsigned *flags, hid_t access, void *unused) {
  (void)file, (void)group, (void)other, (void)object, (void)flags, (void)access, (void)unused;
  return -1;
}

hid_t hdf5_access_within_file(hid_t class) {
  hid_t access = H5Pcreate(class);
  H5Pset_elink_cb(access, refuse_other_file, NULL);
  return access;
}
