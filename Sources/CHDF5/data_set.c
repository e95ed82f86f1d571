// Data sets and their elements.
#include "library.h"

chdf5_id chdf5_open_data_set(chdf5_id file, const char *path) {
  hdf5_begin();
  hid_t access = hdf5_access_within_file(H5P_DATASET_ACCESS);
  // Files of raw data are looked for beside this one; HDF5 wants one answer for all openings of a data set.
  unsigned intent = 0;
  if (H5Fget_intent(file, &intent) >= 0 && intent == H5F_ACC_RDONLY) H5Pset_efile_prefix(access, "${ORIGIN}");
  hid_t set = H5Dopen2(file, path, access);
  H5Pclose(access);
  return hdf5_end(set);
}

int chdf5_close_data_set(chdf5_id set) { hdf5_begin(); return (int)hdf5_end(H5Dclose(set)); }

chdf5_id chdf5_create_data_set(chdf5_id file, const char *path, int type, int rank, const uint64_t *dims,
                               const uint64_t *chunk, int level) {
  hdf5_begin();
  hid_t space = hdf5_space(rank, dims), creation = H5Pcreate(H5P_DATASET_CREATE);
  int status = space < 0 ? -1 : (int)H5Pset_obj_track_times(creation, 0);
  if (status >= 0 && chunk) {
    status = H5Pset_chunk(creation, rank, (const hsize_t *)chunk);
    if (status >= 0 && level > 0) status = H5Pset_shuffle(creation);
    if (status >= 0 && level > 0) status = H5Pset_deflate(creation, (unsigned)level);
    if (status >= 0) status = H5Pset_fletcher32(creation);
  }
  hid_t set = status < 0 ? -1 : H5Dcreate2(file, path, hdf5_number_type(type, 1), space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  return hdf5_end(set);
}

int chdf5_describe_data_set(chdf5_id set, int *type, uint64_t *dims) {
  hdf5_begin();
  return (int)hdf5_end(hdf5_describe(H5Dget_type(set), H5Dget_space(set), type, dims));
}

int64_t chdf5_written_chunks(chdf5_id set, int64_t *expected) {
  hdf5_begin();
  hsize_t chunk[CHDF5_MAX_RANK], dims[CHDF5_MAX_RANK], written = 1;
  hid_t creation = H5Dget_create_plist(set), space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, dims, NULL), status = 0;
  *expected = 1;
  if (H5Pget_layout(creation) == H5D_CHUNKED && (status = H5Pget_chunk(creation, rank, chunk)) >= 0) {
    for (int i = 0; i < rank; i++) *expected *= (int64_t)((dims[i] + chunk[i] - 1) / chunk[i]);
    status = H5Dget_num_chunks(set, space, &written);
  }
  H5Pclose(creation), H5Sclose(space);
  return hdf5_end(status < 0 ? -1 : (int64_t)written);
}

int64_t chdf5_chunk_size(chdf5_id set, const uint64_t *offset) {
  hsize_t size = 0;
  hdf5_begin();
  int status = H5Dget_chunk_storage_size(set, (const hsize_t *)offset, &size);
  return hdf5_end(status < 0 || size > INT64_MAX ? -1 : (int64_t)size);
}

int chdf5_read_chunk(chdf5_id set, const uint64_t *offset, uint32_t *skipped_filters, void *out) {
  hdf5_begin();
  return (int)hdf5_end(H5Dread_chunk(set, H5P_DEFAULT, (const hsize_t *)offset, skipped_filters, out));
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
    status = out ? H5Dread(set, hdf5_number_type(type, 0), memory_space, file_space, H5P_DEFAULT, out)
                 : H5Dwrite(set, hdf5_number_type(type, 0), memory_space, file_space, H5P_DEFAULT, in);
  if (file_space != H5S_ALL) H5Sclose(file_space);
  if (memory_space != H5S_ALL) H5Sclose(memory_space);
  return status;
}

int chdf5_read(chdf5_id set, int type, int64_t f0, int64_t n0, int64_t f1, int64_t n1, void *out) {
  hdf5_begin();
  return (int)hdf5_end(transfer(set, type, f0, n0, f1, n1, out, NULL));
}
int chdf5_write(chdf5_id set, int type, int64_t f0, int64_t n0, int64_t f1, int64_t n1, const void *values) {
  hdf5_begin();
  return (int)hdf5_end(transfer(set, type, f0, n0, f1, n1, NULL, values));
}
