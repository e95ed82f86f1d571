// Files, groups and links.
#define _GNU_SOURCE  // memmem
#include "library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

chdf5_id chdf5_open(const char *path) {
  hdf5_begin();
  hid_t access = file_access(0), file = H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return hdf5_end(file);
}

int chdf5_descriptor(chdf5_id file) {
  int *descriptor = NULL;
  hdf5_begin();
  int status = H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor);
  return (int)hdf5_end(status < 0 || !descriptor ? -1 : *descriptor);
}

chdf5_id chdf5_create(const char *path) { hdf5_begin(); return hdf5_end(create(path, 0)); }

chdf5_id chdf5_create_in_memory(void) {
  static unsigned made;
  char name[32];
  hdf5_begin();
  snprintf(name, sizeof name, "image %u", made++);  // two open files of one name would be one file to HDF5
  return hdf5_end(create(name, 1));
}

int64_t chdf5_image(chdf5_id f, void *buffer, size_t size) { hdf5_begin(); return hdf5_end(H5Fget_file_image(f, buffer, size)); }
int chdf5_flush(chdf5_id file) { hdf5_begin(); return (int)hdf5_end(H5Fflush(file, H5F_SCOPE_GLOBAL)); }
int chdf5_close_file(chdf5_id file) { hdf5_begin(); return (int)hdf5_end(H5Fclose(file)); }

int chdf5_create_group(chdf5_id file, const char *path) {
  hdf5_begin();
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation, 0);
  hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  if (group >= 0) H5Gclose(group);
  return (int)hdf5_end(group < 0 ? -1 : 0);
}

int chdf5_exists(chdf5_id file, const char *path) {
  hdf5_begin();
  hid_t access = hdf5_access_within_file(H5P_LINK_ACCESS);
  int answer = (int)H5Lexists(file, path, access);
  H5Pclose(access);
  return (int)hdf5_end(answer);
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
  hdf5_begin();
  hid_t access = hdf5_access_within_file(H5P_LINK_ACCESS);
  int status = H5Literate_by_name(file, group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, add_name, &names, access);
  H5Pclose(access);
  if (status < 0) {
    free(names.text);
    names.text = NULL;
  }
  *size = names.size;
  hdf5_end(status);
  return names.text;
}

int chdf5_kind(chdf5_id file, const char *path) {
  hdf5_begin();
  // The object is not opened: another thread may be opening the same data set with another prefix for raw data, which
  // HDF5 refuses.
  hid_t access = hdf5_access_within_file(H5P_LINK_ACCESS);
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  int status = H5Oget_info_by_name3(file, path, &info, H5O_INFO_BASIC, access);
#else
  H5O_info_t info;
  int status = H5Oget_info_by_name2(file, path, &info, H5O_INFO_BASIC, access);
#endif
  H5Pclose(access);
  int kind = status < 0 ? -1 : info.type == H5O_TYPE_GROUP ? 0 : info.type == H5O_TYPE_DATASET ? 1 : 2;
  return (int)hdf5_end(kind);
}

int chdf5_link(chdf5_id file, const char *path, char *target, size_t capacity) {
  H5L_info_t info;
  hdf5_begin();
  target[0] = 0;
  if (H5Lget_info(file, path, &info, H5P_DEFAULT) < 0) return (int)hdf5_end(-1);
  if (info.type == H5L_TYPE_HARD) return (int)hdf5_end(0);
  if (info.type == H5L_TYPE_SOFT || info.type == H5L_TYPE_EXTERNAL) {
    // For an external link this is one byte of flags, the file's name and the path in it, each with a NUL.
    if (H5Lget_val(file, path, target, capacity, H5P_DEFAULT) < 0) return (int)hdf5_end(-1);
    target[capacity - 1] = 0;
    if (info.type == H5L_TYPE_EXTERNAL) memmove(target, target + 1, capacity - 1);
    return (int)hdf5_end(info.type == H5L_TYPE_SOFT ? 1 : 2);
  }
  return (int)hdf5_end(3);
}

const void *chdf5_find(const void *bytes, size_t count, const void *part, size_t part_count) {
  return memmem(bytes, count, part, part_count);
}
