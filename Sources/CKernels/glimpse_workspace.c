#include "glimpse_workspace.h"
#include <stdlib.h>

// Not a thread-local array, because those take memory from the stack of every thread, including threads that never call
// this.
workspace *thread_workspace(void) {
  static _Thread_local workspace *space;
  if (!space) space = malloc(sizeof *space);
  if (!space) abort();
  return space;
}
