import Synchronization

/// Version of this program, for `--version` and for the record in files: "0.2.0 (commit abcdef1)".
public var softwareVersion: String { "0.2.0 (commit \(SoftwareCommit.value.withLock { $0 }))" }

/// The commit that the program was built from.
public enum SoftwareCommit {
  fileprivate static let value = Mutex("unknown")

  /// Sets the commit. The program does so before anything else; this module is not built anew for every commit.
  public static func set(_ commit: String) { value.withLock { $0 = commit } }
}
