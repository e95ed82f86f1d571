// Calls every function of the HDF5 shim on a file, and on mutations of it in processes of their own, for the sanitizers.
//
// HDF5 itself is not instrumented and does not survive all damage; `scripts/sanitize` looks at where a report begins.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "chdf5.h"

static void read_attributes(chdf5_id file, const char *path) {
  static const char *const names[] = {"format", "version", "step", "model", "seed", "config", "data", "software", "digest",
                                      "source", "generator", "missing"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (chdf5_attribute_exists(file, path, names[i]) <= 0) continue;
    int type;
    uint64_t dims[CHDF5_MAX_RANK];
    int rank = chdf5_describe_attribute(file, path, names[i], &type, dims);
    if (rank < 0) continue;
    uint64_t count = 1;
    for (int d = 0; d < rank && count < 100000; d++) count *= dims[d];
    if (type == CHDF5_STRING && count == 1) {
      char *text = chdf5_read_text(file, path, names[i]);
      if (text) (void)strlen(text);
      free(text);
    } else if (type != CHDF5_STRING && type != CHDF5_OTHER && count < 100000) {
      double *values = malloc(count * sizeof *values + 1);
      chdf5_read_attribute(file, path, names[i], CHDF5_FLOAT64, values);
      free(values);
    }
  }
}

static void read_data_set(chdf5_id file, const char *path) {
  chdf5_id set = chdf5_open_data_set(file, path);
  if (set < 0) return;
  int type;
  uint64_t dims[CHDF5_MAX_RANK];
  int rank = chdf5_describe_data_set(set, &type, dims);
  chdf5_storage storage;
  if (rank >= 0 && chdf5_describe_storage(set, &storage) >= 0) {
    char name[32], other[32];
    unsigned value;
    for (int i = 0; i < storage.filter_count && i < 8; i++) chdf5_filter(set, i, &value, name, sizeof name);
    int64_t offset, elements, expected;
    uint64_t size;
    for (int i = 0; i < storage.external_count && i < 8; i++) chdf5_external(set, i, name, sizeof name, &offset, &size);
    for (int i = 0; i < storage.virtual_count && i < 8; i++) chdf5_virtual(set, i, name, other, sizeof name, &elements);
    chdf5_written_chunks(set, &expected);
    if (storage.layout == CHDF5_CHUNKED && rank > 0) {
      uint64_t first[CHDF5_MAX_RANK] = {0};
      int64_t bytes = chdf5_chunk_size(set, first);
      if (bytes > 0 && bytes < 1 << 24) {
        void *chunk = malloc((size_t)bytes);
        uint32_t skipped;
        chdf5_read_chunk(set, first, &skipped, chunk);
        free(chunk);
      }
    }
    uint64_t count = 1;
    for (int d = 0; d < rank && count < 4000000; d++) count = dims[d] ? count * dims[d] : 0;
    if (type != CHDF5_STRING && type != CHDF5_OTHER && count < 4000000 && storage.size < 1 << 26) {
      float *values = malloc(count * sizeof *values + 1);
      chdf5_read(set, CHDF5_FLOAT32, 0, -1, 0, -1, values);
      if (rank > 1 && dims[0] > 1) {
        // One entry, and the rest of it from its second part on.
        chdf5_read(set, CHDF5_FLOAT32, 1, 1, 0, -1, values);
        if (dims[1] > 1) chdf5_read(set, CHDF5_FLOAT32, 0, 1, 1, (int64_t)dims[1] - 1, values);
      }
      free(values);
    }
  }
  chdf5_close_data_set(set);
}

static void walk(chdf5_id file, const char *group, int depth) {
  read_attributes(file, group);
  size_t size = 0;
  char *names = chdf5_names(file, group, &size);
  for (char *name = names; names && name < names + size && depth < 6; name += strlen(name) + 1) {
    char path[512], target[64];
    if (snprintf(path, sizeof path, "%s%s%s", group, group[1] ? "/" : "", name) >= (int)sizeof path) continue;
    if (chdf5_exists(file, path) <= 0 || chdf5_link(file, path, target, sizeof target) != 0) continue;
    int kind = chdf5_kind(file, path);
    if (kind == 0) walk(file, path, depth + 1);
    if (kind == 1) {
      read_attributes(file, path);
      read_data_set(file, path);
    }
  }
  free(names);
}

static void read_file(const char *path) {
  chdf5_id file = chdf5_open(path);
  if (file < 0) {
    (void)strlen(chdf5_error());
    return;
  }
  (void)chdf5_descriptor(file);
  walk(file, "/", 0);
  chdf5_collect_garbage();
  chdf5_close_file(file);
}

// A file in memory, with all that is written.
static void write_file(void) {
  chdf5_id file = chdf5_create_in_memory();
  uint64_t dims[] = {3, 5}, chunk[] = {1, 5};
  float values[15] = {1, 2, 3};
  int64_t version = 1;
  chdf5_write_text(file, "/", "format", "text");
  chdf5_write_attribute(file, "/", "version", CHDF5_INT64, 0, NULL, &version);
  chdf5_create_group(file, "/group");
  for (int level = 0; level < 3; level++) {
    char path[] = "/group/a";
    path[7] = (char)('a' + level);
    chdf5_id set = chdf5_create_data_set(file, path, CHDF5_FLOAT32, 2, dims, level ? chunk : NULL, level == 2 ? 1 : 0);
    chdf5_write(set, CHDF5_FLOAT32, 0, -1, 0, -1, values);
    chdf5_write(set, CHDF5_FLOAT32, 1, 2, 2, 3, values);
    chdf5_close_data_set(set);
  }
  chdf5_flush(file);
  int64_t size = chdf5_image(file, NULL, 0);
  void *bytes = malloc((size_t)size);
  chdf5_image(file, bytes, (size_t)size);
  free(bytes);
  chdf5_close_file(file);
}

int main(int count, char **arguments) {
  if (count < 3) return 64;
  write_file();
  read_file(arguments[1]);
  FILE *stream = fopen(arguments[1], "rb");
  if (!stream) return 66;
  fseek(stream, 0, SEEK_END);
  long size = ftell(stream);
  rewind(stream);
  unsigned char *seed = malloc((size_t)size), *bytes = malloc((size_t)size);
  if (fread(seed, 1, (size_t)size, stream) != (size_t)size) return 66;
  fclose(stream);
  char path[] = "/tmp/sqair-sanitize-XXXXXX";
  int descriptor = mkstemp(path);
  int rounds = atoi(arguments[2]), ended = 0;
  for (int round = 1; round <= rounds; round++) {
    srand((unsigned)round);
    memcpy(bytes, seed, (size_t)size);
    for (int change = rand() % 4; change >= 0; change--) {
      // Most structures lie in the first kilobytes.
      long offset = rand() % (rand() % 2 && size > 4096 ? 4096 : size);
      bytes[offset] = rand() % 3 ? (unsigned char)rand() : (unsigned char)(rand() % 2 ? 0xFF : 0);
    }
    if (ftruncate(descriptor, 0) || pwrite(descriptor, bytes, (size_t)size, 0) != size) return 74;
    pid_t child = fork();
    if (child == 0) {
      alarm(10);
      read_file(path);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    ended += status != 0;
  }
  unlink(path);
  free(seed);
  free(bytes);
  printf("%s: %d mutations, %d of them ended by HDF5\n", arguments[1], rounds, ended);
}
