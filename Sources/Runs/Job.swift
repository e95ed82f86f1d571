import Cluster
import Foundation
import Storage

/// Starts the ranks of a command, and refuses ranks that were started with something else.
package enum Job {
  /// Joins the ranks of a parallel command. Every process calls this.
  ///
  /// - Parameters:
  ///   - command: its name on the command line.
  ///   - fields: what must be equal on all ranks, beside program and command.
  /// - Throws: `Disagreement` on all ranks if it is not.
  package static func start(_ command: String, _ fields: [Communicator.Field] = []) throws -> Communicator {
    let communicator = try Communicator.start()
    try communicator.limitingStart("to compare program and settings of") {
      try communicator.requireAgreement(
        on: "program and settings",
        [.init("command", command), .init("version", softwareVersion), .init("program", programDigest(communicator))]
          + fields)
    }
    try JobKernels.requireEqual(communicator)
    return communicator
  }

  /// For a command that is the work of one process: needs no MPI, and refuses to be started as several.
  ///
  /// - Throws: `RunError`, the same on all processes.
  package static func alone(_ command: String) throws -> Communicator {
    let launch = Launch(environment: ProcessInfo.processInfo.environment)
    guard !launch.isParallel else {
      let count = launch.launcherSize.map { "\($0) processes were" } ?? "several processes were"
      throw RunError(
        "`\(command)` is the work of one process, but \(count) started, which would write over each other. Start it "
          + "without a launcher, or with one process.", isEverywhere: true)
    }
    return .alone()
  }

  /// Digest of the program's file; empty where the system does not show it, or there is nobody to compare with.
  private static func programDigest(_ communicator: Communicator) -> String {
    guard communicator.size > 1 else { return "" }
    return (try? sha256(ofFile: "/proc/self/exe")) ?? ""
  }
}

extension Configuration {
  /// Its settings as they are compared over ranks. Files are compared by what they hold, and not by their paths.
  package var agreementFields: [Communicator.Field] {
    ConfigurationTree(self).leaves.map { keyPath, value in
      guard ["data.train", "data.valid"].contains(keyPath) else { return .init(keyPath, value.compactJSON) }
      return .init(keyPath, value == .null ? "not given" : "given")
    }
  }
}

extension SequenceSet {
  /// What all ranks must find in this file.
  ///
  /// - Parameter role: what the file is for: "training data".
  package func agreementFields(as role: String) -> [Communicator.Field] {
    [
      .init("\(role), identity", identity),
      .init("\(role), size", "\(sequenceCount) sequences of \(frameCount) frames of \(height)x\(width) pixels"),
    ]
  }
}
