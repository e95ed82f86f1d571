import Foundation

/// A program could not be started.
package struct ProcessStartError: Error {
  /// The reason, as `errno` states it.
  package let code: Int32

  package init(code: Int32) { self.code = code }
}

/// Where the standard streams of a program that is started come from and go to: file descriptors of this process; nil
/// for `/dev/null`.
package struct StandardStreams {
  package var input: Int32?
  package var output: Int32?
  package var errors: Int32?

  package init(input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil) {
    (self.input, self.output, self.errors) = (input, output, errors)
  }
}

/// Starts a program, in which no signal is blocked or ignored, whatever this process does with signals.
///
/// - Parameters:
///   - program: a path, or a name to look up in `PATH`.
///   - arguments: what the program finds in `argv`; the first is its name.
///   - environment: its whole environment.
///   - ownGroup: whether it becomes the leader of a new process group, so that signals from the keyboard do not reach
///     it and the whole group can be ended at once.
/// - Returns: the process identifier; the caller has to wait for the process.
/// - Throws: `ProcessStartError` where the system refuses.
package func startProcess(
  _ program: String, arguments: [String], environment: [String: String], streams: StandardStreams, ownGroup: Bool
) throws(ProcessStartError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (standard, descriptor) in [streams.input, streams.output, streams.errors].enumerated() {
    if let descriptor {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(standard))
    } else {
      let mode = standard == 0 ? O_RDONLY : O_WRONLY
      posix_spawn_file_actions_addopen(&actions, Int32(standard), "/dev/null", mode, 0)
    }
  }

  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t(), all = sigset_t()
  sigemptyset(&none)
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
  if ownGroup {
    posix_spawnattr_setpgroup(&attributes, 0)
    flags |= POSIX_SPAWN_SETPGROUP
  }
  posix_spawnattr_setflags(&attributes, Int16(flags))

  let argv = arguments.map { strdup($0) } + [nil]
  let envp = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for text in argv + envp { free(text) } }
  var process: pid_t = 0
  let code = posix_spawnp(&process, program, &actions, &attributes, argv, envp)
  guard code == 0 else { throw ProcessStartError(code: code) }
  return process
}

/// How a process ended.
package enum ProcessEnding: Equatable, Sendable {
  case exited(code: Int32)
  case signalled(Int32)

  /// - Parameter status: what `waitpid` reports of a process that has ended: the number of the signal that ended it in
  ///   the low seven bits, or else its exit code in the next eight.
  package init(status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signalled(signal)
  }
}
