#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include "process_state.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static int64_t limit(int resource) {
  struct rlimit value;
  if (getrlimit(resource, &value) != 0 || value.rlim_cur == RLIM_INFINITY) return -1;
  return value.rlim_cur > INT64_MAX ? -1 : (int64_t)value.rlim_cur;
}

int64_t process_address_space_limit(void) { return limit(RLIMIT_AS); }

int64_t process_user_thread_limit(void) {
  // The superuser may start as many as the control groups allow.
  return geteuid() == 0 ? -1 : limit(RLIMIT_NPROC);
}

struct thread_start {
  char name[16];
  void (*body)(void *);
  void *context;
};

static void *run_thread(void *pointer) {
  struct thread_start start = *(struct thread_start *)pointer;
  free(pointer);
#ifdef __APPLE__
  pthread_setname_np(start.name);
#else
  pthread_setname_np(pthread_self(), start.name);
#endif
  start.body(start.context);
  return NULL;
}

int process_start_thread(const char *name, void (*body)(void *), void *context) {
  struct thread_start *start = calloc(1, sizeof *start);
  if (!start) return ENOMEM;
  strncpy(start->name, name, sizeof start->name - 1);
  start->body = body;
  start->context = context;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  int status = pthread_create(&thread, &attributes, run_thread, start);
  pthread_attr_destroy(&attributes);
  if (status != 0) free(start);
  return status;
}
