#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include "process_state.h"
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// MARK: Arguments

static int argument_count = 0;
static char **arguments = NULL;

// The C library passes main's arguments to constructors. Swift's own way to them reads /proc, which may be missing.
__attribute__((constructor)) static void remember_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
}

int process_argument_count(void) { return argument_count; }

const char *process_argument(int index) { return index >= 0 && index < argument_count ? arguments[index] : ""; }

// MARK: Streams

void process_prepare_streams(void) {
  // A reader that went away is an error of the write, and so is a file that would grow beyond its limit.
  signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
  signal(SIGXFSZ, SIG_IGN);
#endif
  // The first file that is opened would take the number of a standard stream that is closed, and messages would be
  // written into it. A stream for output is opened for reading, so that writing to it fails.
  for (int descriptor = 0; descriptor <= 2; descriptor++) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    int opened = open("/dev/null", O_RDONLY);
    if (opened < 0 || opened == descriptor) continue;
    dup2(opened, descriptor);
    close(opened);
  }
  // Whoever reads slowly from a pipe that does not block would miss a part of the output. A terminal is left alone: the
  // shell that started this process has the same open file.
  for (int descriptor = 1; descriptor <= 2; descriptor++) {
    struct stat state;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags == -1 || !(flags & O_NONBLOCK) || fstat(descriptor, &state) != 0 || !S_ISFIFO(state.st_mode)) continue;
    fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
  }
}

int process_flush_output(void) {
  errno = 0;
  if (fflush(stdout) != 0) return errno ? errno : EIO;
  return ferror(stdout) ? EIO : 0;
}

// MARK: Signals

static volatile sig_atomic_t stop_signal = 0;
static volatile sig_atomic_t interrupted = 0;
static volatile sig_atomic_t seconds_to_end = 0;

static char temporary_file[4096];
static volatile sig_atomic_t has_temporary_file = 0;

// Only stores, and calls that are safe in a handler, are allowed here: the process continues as if nothing had come.
static void remember(int signal) {
  if (signal == SIGINT) {
    if (interrupted) {
      if (has_temporary_file) unlink(temporary_file);
      _exit(130);
    }
    interrupted = 1;
  }
  if (stop_signal) return;
  stop_signal = signal;
  if (seconds_to_end) alarm((unsigned)seconds_to_end);
}

void process_remove_at_end(const char *path) {
  has_temporary_file = 0;
  if (!path || strlen(path) >= sizeof temporary_file) return;
  strcpy(temporary_file, path);
  has_temporary_file = 1;
}

static void end_now(int signal) {
  (void)signal;
  if (has_temporary_file) unlink(temporary_file);
  static const char text[] = "error: stopped by a signal; what was being computed is lost\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written;
  _exit(128 + (stop_signal ? stop_signal : SIGALRM));
}

static int catch_signal(int signal, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // A half-read file is not an error.
  sigemptyset(&action.sa_mask);
  return sigaction(signal, &action, NULL) == 0 ? 0 : errno;
}

int process_catch_stop_signals(int seconds) {
  seconds_to_end = seconds;
  int status = seconds > 0 ? catch_signal(SIGALRM, end_now) : 0;
  int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGQUIT, SIGXCPU, SIGHUP};
  for (int i = 0; i < 7 && status == 0; i++) {
    struct sigaction earlier;
    // `nohup` has asked that a lost terminal be ignored.
    if (signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &earlier) == 0 && earlier.sa_handler == SIG_IGN) continue;
    status = catch_signal(signals[i], remember);
  }
  return status;
}

void process_leave_time_to_save(void) {
  struct rlimit value;
  if (getrlimit(RLIMIT_CPU, &value) != 0 || value.rlim_max == RLIM_INFINITY || value.rlim_cur < value.rlim_max) return;
  rlim_t spare = value.rlim_max / 20 > 10 ? value.rlim_max / 20 : 10;
  if (spare > value.rlim_max / 2) spare = value.rlim_max / 2;
  value.rlim_cur = value.rlim_max > spare + 1 ? value.rlim_max - spare : 1;
  setrlimit(RLIMIT_CPU, &value);
}

int process_stop_signal(void) { return stop_signal; }

void process_forget_stop_signal(void) {
  stop_signal = 0;
  interrupted = 0;
}

// MARK: Limits

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

int64_t process_data_limit(void) { return limit(RLIMIT_DATA); }

// Raises a soft limit as far as the hard one allows, and returns what it is then.
static int64_t raise_limit(int resource, int64_t wanted) {
  struct rlimit value;
  if (getrlimit(resource, &value) != 0) return INT64_MAX;
  rlim_t soft = value.rlim_cur, goal = (rlim_t)wanted;
  if (value.rlim_max != RLIM_INFINITY && value.rlim_max < goal) goal = value.rlim_max;
  if (soft != RLIM_INFINITY && soft < goal) {
    value.rlim_cur = goal;
    if (setrlimit(resource, &value) == 0) soft = goal;
  }
  return soft == RLIM_INFINITY || soft > INT64_MAX ? INT64_MAX : (int64_t)soft;
}

int64_t process_raise_open_files(int64_t wanted) { return raise_limit(RLIMIT_NOFILE, wanted); }

int64_t process_raise_stack(int64_t wanted) { return raise_limit(RLIMIT_STACK, wanted); }

int64_t process_user_thread_limit(void) {
  // The superuser may start as many as the control groups allow.
  return geteuid() == 0 ? -1 : limit(RLIMIT_NPROC);
}

// MARK: Memory

void process_return_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// MARK: Threads

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
