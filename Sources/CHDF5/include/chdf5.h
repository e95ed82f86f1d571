// HDF5 without its macros: what Swift cannot import, as plain functions.
//
// Every function returns a negative number on failure, and chdf5_error() then holds the reason as
// HDF5 gave it (on the same thread). HDF5 itself prints nothing. All calls take one process-wide
// lock, so handles may be used from any thread even where HDF5 was built without thread safety.
#pragma once
#include <stdint.h>
#include <stddef.h>

typedef int64_t chdf5_id;

/// Types as this project distinguishes them; Swift's `HDF5Type` has the same raw values.
/// From CHDF5_BOOLEAN on they are found in files but never written.
enum {
  CHDF5_OTHER = 0, CHDF5_FLOAT32 = 1, CHDF5_FLOAT64 = 2, CHDF5_UINT8 = 3, CHDF5_INT32 = 4,
  CHDF5_UINT64 = 5, CHDF5_INT64 = 6, CHDF5_STRING = 7, CHDF5_BOOLEAN = 8,
  CHDF5_OTHER_SIGNED = 9, CHDF5_OTHER_UNSIGNED = 10, CHDF5_OTHER_FLOAT = 11,
};

/// Highest rank accepted anywhere in this header.
enum { CHDF5_MAX_RANK = 32 };

/// Why the last call on this thread failed; empty where HDF5 gave no reason.
const char *chdf5_error(void);

/// Whether any call of this process has failed for want of memory.
int chdf5_lacks_memory(void);

/// The version of the library that runs.
void chdf5_version(unsigned *major, unsigned *minor, unsigned *release);

// Files. No file locks are taken (shared disks often cannot lock). Closing closes all that is open inside.
chdf5_id chdf5_open(const char *path);
chdf5_id chdf5_create(const char *path);
/// The descriptor through which HDF5 reads an open file, which stays HDF5's own: only pread() from it. Negative for none.
int chdf5_descriptor(chdf5_id file);
/// A file that lives in memory only; chdf5_image copies its bytes out after a chdf5_flush.
chdf5_id chdf5_create_in_memory(void);
/// Size of the file's image in bytes; copies it when `buffer` is not NULL (it must hold that many).
/// HDF5 1.10.8 leaves the checksum of the image's superblock wrong: see HDF5Image.swift.
int64_t chdf5_image(chdf5_id file, void *buffer, size_t capacity);
int chdf5_flush(chdf5_id file);
int chdf5_close_file(chdf5_id file);

// Groups.
int chdf5_create_group(chdf5_id file, const char *path);
/// 1 when the last link of `path` exists (the ones before it must), 0 when not.
int chdf5_exists(chdf5_id file, const char *path);
/// The names of all links of a group, each with a NUL, in no order, and the bytes of them; free() it. NULL on failure.
char *chdf5_names(chdf5_id file, const char *group, size_t *size);
/// Bytes of names beyond which a group is refused.
enum { CHDF5_MAX_NAMES = 1 << 26 };
/// What there is at `path`: 0 a group, 1 a data set, 2 anything else.
int chdf5_kind(chdf5_id file, const char *path);

// Data sets.
chdf5_id chdf5_open_data_set(chdf5_id file, const char *path);
/// `chunk` NULL stores contiguously, else in chunks with Fletcher-32; `level` > 0 adds shuffle and deflate.
chdf5_id chdf5_create_data_set(chdf5_id file, const char *path, int type, int rank, const uint64_t *dims,
                               const uint64_t *chunk, int level);
int chdf5_close_data_set(chdf5_id set);
/// Fills type and dims (room for CHDF5_MAX_RANK); returns the rank.
int chdf5_describe_data_set(chdf5_id set, int *type, uint64_t *dims);
/// Number of chunks that were ever written, and in `expected` how many there should be (both 1 without chunks).
int64_t chdf5_written_chunks(chdf5_id set, int64_t *expected);
/// Moves the elements [first0, first0+count0) of dimension 0, [first1, first1+count1) of dimension 1 and all of
/// the others; count0 < 0 means everything, count1 < 0 everything from dimension 1 on.
int chdf5_read(chdf5_id set, int type, int64_t first0, int64_t count0, int64_t first1, int64_t count1, void *out);
int chdf5_write(chdf5_id set, int type, int64_t first0, int64_t count0, int64_t first1, int64_t count1,
                const void *values);

/// How the elements of a data set are stored, as its header claims; nothing of it has been verified.
enum { CHDF5_COMPACT = 0, CHDF5_CONTIGUOUS = 1, CHDF5_CHUNKED = 2, CHDF5_VIRTUAL = 3 };
typedef struct {
  int layout;
  /// Whether the stored elements are those of this machine (type, size and byte order).
  int is_native;
  /// Bytes of a stored element.
  uint64_t element_size;
  /// Bytes of the file that hold elements.
  uint64_t size;
  /// Where they begin if the layout is contiguous; UINT64_MAX if they were never written.
  uint64_t address;
  uint64_t chunk[CHDF5_MAX_RANK];
  int filter_count;
  /// Whether chunks that reach beyond the shape skip the filters.
  int leaves_edges_unfiltered;
  int external_count;
  int virtual_count;
} chdf5_storage;
int chdf5_describe_storage(chdf5_id set, chdf5_storage *storage);
/// Number (H5Z_filter_t) of a filter in the order of writing, its name and the first of its values.
int chdf5_filter(chdf5_id set, int index, unsigned *first_value, char *name, size_t capacity);
/// A file outside of the HDF5 file that holds elements, and which bytes of it (UINT64_MAX: all to its end).
int chdf5_external(chdf5_id set, int index, char *name, size_t capacity, int64_t *offset, uint64_t *size);
/// A source of a virtual data set: its file ("." for the same), its path, and how many elements come from there.
int chdf5_virtual(chdf5_id set, int index, char *file, char *path, size_t capacity, int64_t *elements);
/// Stored bytes of the chunk whose first element is at `offset`; 0 if it was never written.
int64_t chdf5_chunk_size(chdf5_id set, const uint64_t *offset);
/// Reads the stored bytes of a chunk (`chdf5_chunk_size`), and which filters were not applied to it.
int chdf5_read_chunk(chdf5_id set, const uint64_t *offset, uint32_t *skipped_filters, void *out);
/// What the last link of `path` is: 0 hard, 1 soft (`target` is a path), 2 external (`target` is a file), 3 another.
int chdf5_link(chdf5_id file, const char *path, char *target, size_t capacity);
/// Where `part` first is in `bytes`; NULL if it is not.
const void *chdf5_find(const void *bytes, size_t count, const void *part, size_t part_count);
/// Gives unused memory of HDF5 back, so that the allocator sees what HDF5 wrote beyond an end.
int chdf5_collect_garbage(void);

// Attributes of the object at `path`.
int chdf5_attribute_exists(chdf5_id file, const char *path, const char *name);
/// Fills type and dims; returns the rank.
int chdf5_describe_attribute(chdf5_id file, const char *path, const char *name, int *type, uint64_t *dims);
int chdf5_read_attribute(chdf5_id file, const char *path, const char *name, int type, void *out);
/// The text of a scalar string attribute of fixed or variable length; free() it. NULL on failure.
char *chdf5_read_text(chdf5_id file, const char *path, const char *name);
int chdf5_write_attribute(chdf5_id file, const char *path, const char *name, int type, int rank,
                          const uint64_t *dims, const void *values);
/// Variable-length UTF-8, which h5py reads as `str`.
int chdf5_write_text(chdf5_id file, const char *path, const char *name, const char *value);
