// What a data set claims about its storage, before anything of it is read.
#include "library.h"
#include <string.h>

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
  hdf5_begin();
  memset(storage, 0, sizeof *storage);
  hid_t creation = H5Dget_create_plist(set), type = H5Dget_type(set), space = H5Dget_space(set);
  int status = -1;
  if (creation >= 0 && type >= 0 && space >= 0) {
    hsize_t dims[CHDF5_MAX_RANK], chunk[CHDF5_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL), code = hdf5_type_code(type);
    unsigned options = 0;
    hid_t native = hdf5_number_type(code, 0);
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
  return (int)hdf5_end(status);
}

int chdf5_filter(chdf5_id set, int index, unsigned *first_value, char *name, size_t capacity) {
  hdf5_begin();
  unsigned flags = 0, config = 0, values[32] = {0};
  size_t count = 32;
  hid_t creation = H5Dget_create_plist(set);
  name[0] = 0;
  int code = creation < 0 ? -1
                          : (int)H5Pget_filter2(creation, (unsigned)index, &flags, &count, values, capacity, name, &config);
  name[capacity - 1] = 0;
  *first_value = count > 0 ? values[0] : 0;
  if (creation >= 0) H5Pclose(creation);
  return (int)hdf5_end(code);
}

int chdf5_external(chdf5_id set, int index, char *name, size_t capacity, int64_t *offset, uint64_t *size) {
  hdf5_begin();
  off_t first = 0;
  hsize_t length = 0;
  hid_t creation = H5Dget_create_plist(set);
  int status = creation < 0 ? -1 : (int)H5Pget_external(creation, (unsigned)index, capacity, name, &first, &length);
  name[capacity - 1] = 0;
  *offset = first;
  *size = length == H5F_UNLIMITED ? UINT64_MAX : length;
  if (creation >= 0) H5Pclose(creation);
  return (int)hdf5_end(status);
}

int chdf5_virtual(chdf5_id set, int index, char *file, char *path, size_t capacity, int64_t *elements) {
  hdf5_begin();
  hid_t creation = H5Dget_create_plist(set), space = -1;
  int status = creation < 0 ? -1 : 0;
  if (status >= 0 && H5Pget_virtual_filename(creation, (size_t)index, file, capacity) < 0) status = -1;
  if (status >= 0 && H5Pget_virtual_dsetname(creation, (size_t)index, path, capacity) < 0) status = -1;
  if (status >= 0) space = H5Pget_virtual_vspace(creation, (size_t)index);
  *elements = space < 0 ? -1 : (int64_t)H5Sget_select_npoints(space);
  file[capacity - 1] = path[capacity - 1] = 0;
  if (space >= 0) H5Sclose(space);
  if (creation >= 0) H5Pclose(creation);
  return (int)hdf5_end(status);
}
