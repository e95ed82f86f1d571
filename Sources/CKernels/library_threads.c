#define _GNU_SOURCE  // RTLD_DEFAULT
#include "elementwise.h"
#include <dlfcn.h>

void kernel_end_library_threads(void) {
  // OpenBLAS has no public way to end its threads; builds without threads lack this function, which `fork` uses too.
  int (*shutdown)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "blas_thread_shutdown_");
  if (shutdown) shutdown();
}
