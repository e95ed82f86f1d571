// What the operating system gives to this process: arguments, streams, signals, cores, threads and memory.
#pragma once
#include <stdint.h>

/// The arguments of `main`, the first being the program's name; zero-terminated bytes in no certain encoding.
int process_argument_count(void);
const char *process_argument(int index);

/// To be called first: writing to a pipe that nobody reads, or beyond the limit of a file's size, becomes an error
/// instead of a signal, no file that is opened later takes the number of a standard stream that is closed, and writing
/// to a pipe waits for its reader.
void process_prepare_streams(void);

/// Writes what is buffered for standard output. Returns 0 if all of it could be written since the start, or an errno.
int process_flush_output(void);

/// Handles SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGQUIT, SIGXCPU and SIGHUP (unless it is ignored) by remembering the first
/// of them; a second SIGINT ends the process at once with code 130. Where `seconds` is above 0, the process ends that
/// long after the first signal, with 128 + its number, if it has not ended before. Returns 0, or an errno.
int process_catch_stop_signals(int seconds);

/// Lowers the soft limit of processor time (`ulimit -t`) where the hard one is not above it, so that SIGXCPU comes
/// before SIGKILL does. The limit counts in whole seconds; a twentieth is left, at least 10 seconds, at most half.
void process_leave_time_to_save(void);

/// Names an unfinished file that is removed where a signal ends the process at once, by a second SIGINT or when its time
/// is over; NULL names none.
void process_remove_at_end(const char *path);

/// The first stop signal since the last call of `process_forget_stop_signal`, or 0.
int process_stop_signal(void);

/// Forgets the signal that came, for a process that has answered it.
void process_forget_stop_signal(void);

/// Cores the scheduler lets this process run on (its affinity mask), at least 1.
int process_available_cores(void);

/// Gives memory that is free in the heap back to the system, where the C library can.
void process_return_free_memory(void);

/// Bytes of address space this process may use (`ulimit -v`), or -1 if it is not limited.
int64_t process_address_space_limit(void);

/// Bytes of data this process may have (`ulimit -d`), or -1 if they are not limited.
int64_t process_data_limit(void);

/// Raise the limit of open files, and of the main thread's stack in bytes, to `wanted` or as far as this process may.
/// Return the limit as it is then.
int64_t process_raise_open_files(int64_t wanted);
int64_t process_raise_stack(int64_t wanted);

/// Processes and threads that this process's user may have (`ulimit -u`), or -1 if they are not limited.
int64_t process_user_thread_limit(void);

/// Runs `body(context)` on a new detached thread with this name, of which 15 bytes are kept. Returns 0, or an errno.
int process_start_thread(const char *name, void (*body)(void *), void *context);
