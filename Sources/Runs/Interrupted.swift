import Cluster

/// The user or the system asked a command to stop.
package struct Interrupted: ExitCodeProviding, CustomStringConvertible {
  let signal: StopSignals.Signal
  package init(signal: StopSignals.Signal) { self.signal = signal }

  package var description: String { "stopped by \(signal)" }
  package var exitCode: Int32 { 128 + signal.rawValue }
}
