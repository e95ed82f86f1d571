#include "level.h"

const char *kernel_vector_level(void) {
#if defined(__x86_64__) && defined(__ELF__)
  // The conditions by which the loader chooses among the versions in clones.h.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
  return "x86-64";
#else
  return "baseline";
#endif
}
