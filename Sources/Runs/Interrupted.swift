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

  package var description: String { "stopped by \(signal)" + (consequence.map { "; \($0)" } ?? "") }

  /// As a shell reports a process that a signal ended.
  package var exitCode: Int32 { 128 + signal.rawValue }
}
