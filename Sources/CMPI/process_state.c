#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include "process_state.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal = 0;
static volatile sig_atomic_t interrupted = 0;

// Only stores, and `_exit`, are allowed here: whatever the process was doing goes on as if nothing had come.
static void remember(int signal) {
  if (signal == SIGINT) {
    if (interrupted) _exit(130);
    interrupted = 1;
  }
  if (!stop_signal) stop_signal = signal;
}

int process_catch_stop_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;  // A half-read file is not an error.
  sigemptyset(&action.sa_mask);
  int signals[] = {SIGTERM, SIGINT, SIGUSR1};
  for (int i = 0; i < 3; i++)
    if (sigaction(signals[i], &action, NULL) != 0) return errno;
  return 0;
}

int process_stop_signal(void) { return stop_signal; }

void process_forget_stop_signal(void) {
  stop_signal = 0;
  interrupted = 0;
}

int process_available_cores(void) {
#ifdef __linux__
  // Machines with more than 1,024 processors need a longer mask than `cpu_set_t`.
  for (int processors = CPU_SETSIZE; processors <= 1 << 20; processors *= 4) {
    cpu_set_t *mask = CPU_ALLOC(processors);
    if (!mask) break;
    size_t bytes = CPU_ALLOC_SIZE(processors);
    int failed = sched_getaffinity(0, bytes, mask) != 0;
    int reason = errno, cores = failed ? 0 : CPU_COUNT_S(bytes, mask);
    CPU_FREE(mask);
    if (cores > 0) return cores;
    if (!failed || reason != EINVAL) break;
  }
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}
