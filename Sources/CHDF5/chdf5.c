#define _GNU_SOURCE  // memmem
#include "chdf5.h"
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static void begin(void) {
  pthread_mutex_lock(&library);
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, note_failure, NULL);
  error_text[0] = 0;
}

static int64_t end(int64_t status) {
  pthread_mutex_unlock(&library);
  return status;
}

const char *chdf5_error(void) { return error_text; }
int chdf5_lacks_memory(void) { return lacks_memory; }

static hid_t number_type(int type, int in_file) {
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

static int type_code(hid_t type) {
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

static int describe(hid_t type, hid_t space, int *code, uint64_t *dims) {
  int rank = -1;
  if (type >= 0 && space >= 0) {
    *code = type_code(type);
    rank = H5Sget_simple_extent_dims(space, (hsize_t *)dims, NULL);
  }
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  return rank;
}

static hid_t make_space(int rank, const uint64_t *dims) {
  return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, (const hsize_t *)dims, NULL);
}

// The latest format of HDF5 1.10 has a checksum on all metadata but the texts of strings; older ones have fewer.
static hid_t file_access(int in_memory) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  in_memory ? H5Pset_fapl_core(access, 1 << 20, 0) : H5Pset_file_locking(access, 0, 1);
  return access;
}

static hid_t create(const char *path, int in_memory) {
  hid_t access = file_access(in_memory), creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_obj_track_times(creation, 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  H5Pclose(creation), H5Pclose(access);
  return file;
}

void chdf5_version(unsigned *major, unsigned *minor, unsigned *release) { H5get_libversion(major, minor, release); }

chdf5_id chdf5_open(const char *path) {
  begin();
  hid_t access = file_access(0), file = H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return end(file);
}

int chdf5_descriptor(chdf5_id file) {
  int *descriptor = NULL;
  begin();
  int status = H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor);
  return (int)end(status < 0 || !descriptor ? -1 : *descriptor);
}

chdf5_id chdf5_create(const char *path) { begin(); return end(create(path, 0)); }

chdf5_id chdf5_create_in_memory(void) {
  static unsigned made;
  char name[32];
  begin();
  snprintf(name, sizeof name, "image %u", made++);  // two open files of one name would be one file to HDF5
  return end(create(name, 1));
}

int64_t chdf5_image(chdf5_id f, void *buffer, size_t size) { begin(); return end(H5Fget_file_image(f, buffer, size)); }
int chdf5_flush(chdf5_id file) { begin(); return (int)end(H5Fflush(file, H5F_SCOPE_GLOBAL)); }
int chdf5_close_file(chdf5_id file) { begin(); return (int)end(H5Fclose(file)); }

int chdf5_create_group(chdf5_id file, const char *path) {
  begin();
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation, 0);
  hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  if (group >= 0) H5Gclose(group);
  return (int)end(group < 0 ? -1 : 0);
}

// Links into other files are not followed: opening a pipe or a device waits for ever.
static herr_t refuse_other_file(const char *file, const char *group, const char *other, const char *object,
                                unsigned *flags, hid_t access, void *unused) {
  (void)file, (void)group, (void)other, (void)object, (void)flags, (void)access, (void)unused;
  return -1;
}

static hid_t access_within_file(hid_t class) {
  hid_t access = H5Pcreate(class);
  H5Pset_elink_cb(access, refuse_other_file, NULL);
  return access;
}

int chdf5_exists(chdf5_id file, const char *path) {
  begin();
  hid_t access = access_within_file(H5P_LINK_ACCESS);
  int answer = (int)H5Lexists(file, path, access);
  H5Pclose(access);
  return (int)end(answer);
}

struct names {
  char *text;
  size_t size, capacity;
};

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *context) {
  (void)group, (void)info;
  struct names *names = context;
  size_t length = strlen(name) + 1;
  if (names->size + length > names->capacity) {
    size_t capacity = 2 * names->capacity + length;
    char *text = capacity > CHDF5_MAX_NAMES ? NULL : realloc(names->text, capacity);
    if (!text) return -1;
    names->text = text;
    names->capacity = capacity;
  }
  memcpy(names->text + names->size, name, length);
  names->size += length;
  return 0;
}

// In the order of storage: to sort the links HDF5 1.10 builds a table, and frees what it has not yet filled of it where
// one of them is damaged.
char *chdf5_names(chdf5_id file, const char *group, size_t *size) {
  struct names names = {malloc(1), 0, 1};
  begin();
  hid_t access = access_within_file(H5P_LINK_ACCESS);
  int status = H5Literate_by_name(file, group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, add_name, &names, access);
  H5Pclose(access);
  if (status < 0) {
    free(names.text);
    names.text = NULL;
  }
  *size = names.size;
  end(status);
  return names.text;
}

int chdf5_kind(chdf5_id file, const char *path) {
  begin();
  // The object is not opened: another thread may be opening the same data set with another prefix for raw data, which
  // HDF5 refuses.
  hid_t access = access_within_file(H5P_LINK_ACCESS);
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  int status = H5Oget_info_by_name3(file, path, &info, H5O_INFO_BASIC, access);
#else
  H5O_info_t info;
  int status = H5Oget_info_by_name2(file, path, &info, H5O_INFO_BASIC, access);
#endif
  H5Pclose(access);
  int kind = status < 0 ? -1 : info.type == H5O_TYPE_GROUP ? 0 : info.type == H5O_TYPE_DATASET ? 1 : 2;
  return (int)end(kind);
}

chdf5_id chdf5_open_data_set(chdf5_id file, const char *path) {
  begin();
  hid_t access = access_within_file(H5P_DATASET_ACCESS);
  // Files of raw data are looked for beside this one; HDF5 wants one answer for all openings of a data set.
  unsigned intent = 0;
  if (H5Fget_intent(file, &intent) >= 0 && intent == H5F_ACC_RDONLY) H5Pset_efile_prefix(access, "${ORIGIN}");
  hid_t set = H5Dopen2(file, path, access);
  H5Pclose(access);
  return end(set);
}

int chdf5_close_data_set(chdf5_id set) { begin(); return (int)end(H5Dclose(set)); }

chdf5_id chdf5_create_data_set(chdf5_id file, const char *path, int type, int rank, const uint64_t *dims,
                               const uint64_t *chunk, int level) {
  begin();
  hid_t space = make_space(rank, dims), creation = H5Pcreate(H5P_DATASET_CREATE);
  int status = space < 0 ? -1 : (int)H5Pset_obj_track_times(creation, 0);
  if (status >= 0 && chunk) {
    status = H5Pset_chunk(creation, rank, (const hsize_t *)chunk);
    if (status >= 0 && level > 0) status = H5Pset_shuffle(creation);
    if (status >= 0 && level > 0) status = H5Pset_deflate(creation, (unsigned)level);
    if (status >= 0) status = H5Pset_fletcher32(creation);
  }
  hid_t set = status < 0 ? -1 : H5Dcreate2(file, path, number_type(type, 1), space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  return end(set);
}

int chdf5_describe_data_set(chdf5_id set, int *type, uint64_t *dims) {
  begin();
  return (int)end(describe(H5Dget_type(set), H5Dget_space(set), type, dims));
}

int64_t chdf5_written_chunks(chdf5_id set, int64_t *expected) {
  begin();
  hsize_t chunk[CHDF5_MAX_RANK], dims[CHDF5_MAX_RANK], written = 1;
  hid_t creation = H5Dget_create_plist(set), space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, dims, NULL), status = 0;
  *expected = 1;
  if (H5Pget_layout(creation) == H5D_CHUNKED && (status = H5Pget_chunk(creation, rank, chunk)) >= 0) {
    for (int i = 0; i < rank; i++) *expected *= (int64_t)((dims[i] + chunk[i] - 1) / chunk[i]);
    status = H5Dget_num_chunks(set, space, &written);
  }
  H5Pclose(creation), H5Sclose(space);
  return end(status < 0 ? -1 : (int64_t)written);
}

// MARK: what a data set claims about its storage, before anything of it is read

static int layout_code(H5D_layout_t layout) {
  switch (layout) {
    case H5D_COMPACT: return CHDF5_COMPACT;
    case H5D_CONTIGUOUS: return CHDF5_CONTIGUOUS;
    case H5D_CHUNKED: return CHDF5_CHUNKED;
    case H5D_VIRTUAL: return CHDF5_VIRTUAL;
    default: return -1;
  }
}

int chdf5_describe_storage(chdf5_id set, chdf5_storage *storage) {
  begin();
  memset(storage, 0, sizeof *storage);
  hid_t creation = H5Dget_create_plist(set), type = H5Dget_type(set), space = H5Dget_space(set);
  int status = -1;
  if (creation >= 0 && type >= 0 && space >= 0) {
    hsize_t dims[CHDF5_MAX_RANK], chunk[CHDF5_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL), code = type_code(type);
    unsigned options = 0;
    hid_t native = number_type(code, 0);
    storage->layout = layout_code(H5Pget_layout(creation));
    storage->element_size = H5Tget_size(type);
    storage->is_native = native >= 0 && H5Tequal(type, native) > 0;
    storage->size = H5Dget_storage_size(set);
    storage->external_count = H5Pget_external_count(creation);
    size_t sources = 0;
    status = storage->layout < 0 || rank < 0 ? -1 : 0;
    if (status >= 0 && storage->layout == CHDF5_VIRTUAL) status = H5Pget_virtual_count(creation, &sources);
    storage->virtual_count = sources > INT32_MAX ? INT32_MAX : (int)sources;
    if (status >= 0 && storage->layout == CHDF5_CONTIGUOUS) {
      haddr_t address = H5Dget_offset(set);
      storage->address = address == HADDR_UNDEF ? UINT64_MAX : (uint64_t)address;
    }
    if (status >= 0 && storage->layout == CHDF5_CHUNKED) {
      status = H5Pget_chunk(creation, CHDF5_MAX_RANK, chunk) == rank ? 0 : -1;
      for (int i = 0; i < rank && status >= 0; i++) storage->chunk[i] = chunk[i];
      if (status >= 0) status = H5Pget_chunk_opts(creation, &options);
      storage->leaves_edges_unfiltered = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
      storage->filter_count = status < 0 ? 0 : H5Pget_nfilters(creation);
    }
  }
  if (creation >= 0) H5Pclose(creation);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  return (int)end(status);
}

int chdf5_filter(chdf5_id set, int index, unsigned *first_value, char *name, size_t capacity) {
  begin();
  unsigned flags = 0, config = 0, values[32] = {0};
  size_t count = 32;
  hid_t creation = H5Dget_create_plist(set);
  name[0] = 0;
  int code = creation < 0 ? -1
                          : (int)H5Pget_filter2(creation, (unsigned)index, &flags, &count, values, capacity, name, &config);
  name[capacity - 1] = 0;
  *first_value = count > 0 ? values[0] : 0;
  if (creation >= 0) H5Pclose(creation);
  return (int)end(code);
}

int chdf5_external(chdf5_id set, int index, char *name, size_t capacity, int64_t *offset, uint64_t *size) {
  begin();
  off_t first = 0;
  hsize_t length = 0;
  hid_t creation = H5Dget_create_plist(set);
  int status = creation < 0 ? -1 : (int)H5Pget_external(creation, (unsigned)index, capacity, name, &first, &length);
  name[capacity - 1] = 0;
  *offset = first;
  *size = length == H5F_UNLIMITED ? UINT64_MAX : length;
  if (creation >= 0) H5Pclose(creation);
  return (int)end(status);
}

int chdf5_virtual(chdf5_id set, int index, char *file, char *path, size_t capacity, int64_t *elements) {
  begin();
  hid_t creation = H5Dget_create_plist(set), space = -1;
  int status = creation < 0 ? -1 : 0;
  if (status >= 0 && H5Pget_virtual_filename(creation, (size_t)index, file, capacity) < 0) status = -1;
  if (status >= 0 && H5Pget_virtual_dsetname(creation, (size_t)index, path, capacity) < 0) status = -1;
  if (status >= 0) space = H5Pget_virtual_vspace(creation, (size_t)index);
  *elements = space < 0 ? -1 : (int64_t)H5Sget_select_npoints(space);
  file[capacity - 1] = path[capacity - 1] = 0;
  if (space >= 0) H5Sclose(space);
  if (creation >= 0) H5Pclose(creation);
  return (int)end(status);
}

int64_t chdf5_chunk_size(chdf5_id set, const uint64_t *offset) {
  hsize_t size = 0;
  begin();
  int status = H5Dget_chunk_storage_size(set, (const hsize_t *)offset, &size);
  return end(status < 0 || size > INT64_MAX ? -1 : (int64_t)size);
}

int chdf5_read_chunk(chdf5_id set, const uint64_t *offset, uint32_t *skipped_filters, void *out) {
  begin();
  return (int)end(H5Dread_chunk(set, H5P_DEFAULT, (const hsize_t *)offset, skipped_filters, out));
}

int chdf5_link(chdf5_id file, const char *path, char *target, size_t capacity) {
  H5L_info_t info;
  begin();
  target[0] = 0;
  if (H5Lget_info(file, path, &info, H5P_DEFAULT) < 0) return (int)end(-1);
  if (info.type == H5L_TYPE_HARD) return (int)end(0);
  if (info.type == H5L_TYPE_SOFT || info.type == H5L_TYPE_EXTERNAL) {
    // For an external link this is one byte of flags, the file's name and the path in it, each with a NUL.
    if (H5Lget_val(file, path, target, capacity, H5P_DEFAULT) < 0) return (int)end(-1);
    target[capacity - 1] = 0;
    if (info.type == H5L_TYPE_EXTERNAL) memmove(target, target + 1, capacity - 1);
    return (int)end(info.type == H5L_TYPE_SOFT ? 1 : 2);
  }
  return (int)end(3);
}

const void *chdf5_find(const void *bytes, size_t count, const void *part, size_t part_count) {
  return memmem(bytes, count, part, part_count);
}

int chdf5_collect_garbage(void) {
  begin();
  return (int)end(H5garbage_collect());
}

// Selects the part and makes the memory space for it; both spaces are H5S_ALL for the whole data set.
static int transfer(hid_t set, int type, int64_t first0, int64_t count0, int64_t first1, int64_t count1, void *out,
                    const void *in) {
  hid_t file_space = H5S_ALL, memory_space = H5S_ALL;
  int status = 0;
  if (count0 >= 0) {
    hsize_t first[CHDF5_MAX_RANK] = {0}, count[CHDF5_MAX_RANK];
    file_space = H5Dget_space(set);
    int rank = H5Sget_simple_extent_dims(file_space, count, NULL);
    first[0] = (hsize_t)first0;
    count[0] = (hsize_t)count0;
    if (rank > 1 && count1 >= 0) {
      first[1] = (hsize_t)first1;
      count[1] = (hsize_t)count1;
    }
    status = H5Sselect_hyperslab(file_space, H5S_SELECT_SET, first, NULL, count, NULL);
    memory_space = H5Screate_simple(rank, count, NULL);
  }
  if (status >= 0)
    status = out ? H5Dread(set, number_type(type, 0), memory_space, file_space, H5P_DEFAULT, out)
                 : H5Dwrite(set, number_type(type, 0), memory_space, file_space, H5P_DEFAULT, in);
  if (file_space != H5S_ALL) H5Sclose(file_space);
  if (memory_space != H5S_ALL) H5Sclose(memory_space);
  return status;
}

int chdf5_read(chdf5_id set, int type, int64_t f0, int64_t n0, int64_t f1, int64_t n1, void *out) {
  begin();
  return (int)end(transfer(set, type, f0, n0, f1, n1, out, NULL));
}
int chdf5_write(chdf5_id set, int type, int64_t f0, int64_t n0, int64_t f1, int64_t n1, const void *values) {
  begin();
  return (int)end(transfer(set, type, f0, n0, f1, n1, NULL, values));
}

static hid_t open_attribute(hid_t file, const char *path, const char *name) {
  return H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
}

int chdf5_attribute_exists(chdf5_id file, const char *path, const char *name) {
  begin();
  return (int)end(H5Aexists_by_name(file, path, name, H5P_DEFAULT));
}

int chdf5_describe_attribute(chdf5_id file, const char *path, const char *name, int *type, uint64_t *dims) {
  begin();
  hid_t attribute = open_attribute(file, path, name);
  if (attribute < 0) return (int)end(-1);
  int rank = describe(H5Aget_type(attribute), H5Aget_space(attribute), type, dims);
  H5Aclose(attribute);
  return (int)end(rank);
}

int chdf5_read_attribute(chdf5_id file, const char *path, const char *name, int type, void *out) {
  begin();
  hid_t attribute = open_attribute(file, path, name);
  int status = attribute < 0 ? -1 : H5Aread(attribute, number_type(type, 0), out);
  if (attribute >= 0) H5Aclose(attribute);
  return (int)end(status);
}

char *chdf5_read_text(chdf5_id file, const char *path, const char *name) {
  char *text = NULL;
  begin();
  hid_t attribute = open_attribute(file, path, name);
  hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute), space = attribute < 0 ? -1 : H5Aget_space(attribute);
  int status = -1;
  int one_string = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
  if (one_string && H5Tis_variable_str(type) > 0) {
    char *owned = NULL;
    status = H5Aread(attribute, type, &owned);
    if (status >= 0) text = strdup(owned ? owned : "");
    H5free_memory(owned);
  } else if (one_string) {
    // Fixed length: padded with NULs or spaces, and not terminated when it is full.
    size_t size = H5Tget_size(type);
    text = calloc(size + 1, 1);
    status = text ? H5Aread(attribute, type, text) : -1;
    if (status >= 0 && H5Tget_strpad(type) == H5T_STR_SPACEPAD)
      while (size > 0 && text[size - 1] == ' ') text[--size] = 0;
  }
  if (status < 0) free(text);
  if (attribute >= 0) H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
  return end(status) < 0 ? NULL : text;
}

static int write_attribute(hid_t file, const char *path, const char *name, hid_t stored, hid_t memory, hid_t space,
                           const void *values) {
  hid_t attribute = H5Acreate_by_name(file, path, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int status = attribute < 0 ? -1 : H5Awrite(attribute, memory, values);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

int chdf5_write_attribute(chdf5_id file, const char *path, const char *name, int type, int rank,
                          const uint64_t *dims, const void *values) {
  begin();
  hid_t space = make_space(rank, dims), memory = number_type(type, 0);
  return (int)end(write_attribute(file, path, name, number_type(type, 1), memory, space, values));
}

int chdf5_write_text(chdf5_id file, const char *path, const char *name, const char *value) {
  begin();
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  int status = write_attribute(file, path, name, type, type, make_space(0, NULL), &value);
  H5Tclose(type);
  return (int)end(status);
}
