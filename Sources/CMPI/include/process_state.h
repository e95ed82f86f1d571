// What the operating system says about this process: signals that ask it to stop, cores, threads and memory it may use.
#pragma once
#include <stdint.h>

/// Handles SIGTERM, SIGINT and SIGUSR1 by remembering the first of them; a second SIGINT ends the process at once
/// with code 130. Returns 0, or an errno.
int process_catch_stop_signals(void);

/// The first stop signal since the last call of `process_forget_stop_signal`, or 0.
int process_stop_signal(void);

/// Forgets the signal that came, for a process that has answered it.
void process_forget_stop_signal(void);

/// Cores the scheduler lets this process run on (its affinity mask), at least 1.
int process_available_cores(void);

/// Bytes of address space this process may use (`ulimit -v`), or -1 if it is not limited.
int64_t process_address_space_limit(void);

/// Processes and threads that this process's user may have (`ulimit -u`), or -1 if they are not limited.
int64_t process_user_thread_limit(void);

/// Runs `body(context)` on a new detached thread with this name, of which 15 bytes are kept. Returns 0, or an errno.
int process_start_thread(const char *name, void (*body)(void *), void *context);
