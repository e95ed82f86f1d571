// Attributes of groups and data sets.
#include "library.h"
#include <stdlib.h>
#include <string.h>

static hid_t open_attribute(hid_t file, const char *path, const char *name) {
  return H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
}

int chdf5_attribute_exists(chdf5_id file, const char *path, const char *name) {
  hdf5_begin();
  return (int)hdf5_end(H5Aexists_by_name(file, path, name, H5P_DEFAULT));
}

int chdf5_describe_attribute(chdf5_id file, const char *path, const char *name, int *type, uint64_t *dims) {
  hdf5_begin();
  hid_t attribute = open_attribute(file, path, name);
  if (attribute < 0) return (int)hdf5_end(-1);
  int rank = hdf5_describe(H5Aget_type(attribute), H5Aget_space(attribute), type, dims);
  H5Aclose(attribute);
  return (int)hdf5_end(rank);
}

int chdf5_read_attribute(chdf5_id file, const char *path, const char *name, int type, void *out) {
  hdf5_begin();
  hid_t attribute = open_attribute(file, path, name);
  int status = attribute < 0 ? -1 : H5Aread(attribute, hdf5_number_type(type, 0), out);
  if (attribute >= 0) H5Aclose(attribute);
  return (int)hdf5_end(status);
}

char *chdf5_read_text(chdf5_id file, const char *path, const char *name) {
  char *text = NULL;
  hdf5_begin();
  hid_t attribute = open_attribute(file, path, name);
  hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute), space = attribute < 0 ? -1 : H5Aget_space(attribute);
  int status = -1;
  int one_string = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
  // The lengths of strings whose type is kept elsewhere in the file are not known to be right.
  if (one_string && H5Tcommitted(type) > 0) {
    status = -1;
  } else if (one_string && H5Tis_variable_str(type) > 0) {
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
  return hdf5_end(status) < 0 ? NULL : text;
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
  hdf5_begin();
  hid_t space = hdf5_space(rank, dims), memory = hdf5_number_type(type, 0);
  return (int)hdf5_end(write_attribute(file, path, name, hdf5_number_type(type, 1), memory, space, values));
}

int chdf5_write_text(chdf5_id file, const char *path, const char *name, const char *value) {
  hdf5_begin();
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  int status = write_attribute(file, path, name, type, type, hdf5_space(0, NULL), &value);
  H5Tclose(type);
  return (int)hdf5_end(status);
}
