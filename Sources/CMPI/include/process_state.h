// What the operating system says about this process: signals that ask it to stop, and cores it may use.
#pragma once

/// Handles SIGTERM, SIGINT and SIGUSR1 by remembering the first of them; a second SIGINT ends the process at once
/// with code 130. Returns 0, or an errno.
int process_catch_stop_signals(void);

/// The first stop signal since the last call of `process_forget_stop_signal`, or 0.
int process_stop_signal(void);

/// Forgets the signal that came, for a process that has answered it.
void process_forget_stop_signal(void);

/// Cores the scheduler lets this process run on (its affinity mask), at least 1.
int process_available_cores(void);
