import Cluster

/// The user or the system asked a command to stop.
package struct Interrupted: ExitCodeProviding, CustomStringConvertible {
  let signal: StopSignals.Signal
  /// What became of the command's output, if there is something to say.
  let consequence: String?

  package init(signal: StopSignals.Signal, consequence: String? = nil) {
    self.signal = signal
    self.consequence = consequence
  }

  /// Throws if this process was asked to stop.
  package static func throwIfRequested(consequence: String? = nil) throws {
    if let signal = StopSignals.requested { throw Interrupted(signal: signal, consequence: consequence) }
  }

  /// Runs work that may throw because this process was asked to stop.
  ///
  /// - Throws: `Interrupted` in place of any error if the process was asked to stop. Ranks fail together with one text,
  ///   which has lost the signal and so the exit code.
  package static func replacingErrors<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      try throwIfRequested()
      throw error
    }
  }

  package var description: String { "stopped by \(signal)" + (consequence.map { "; \($0)" } ?? "") }

  /// As a shell reports a process that a signal ended.
  package var exitCode: Int32 { 128 + signal.rawValue }
}
