/// An error that chooses the exit code of the program; every other error ends it with 1.
public protocol ExitCodeProviding: Error {
  /// Exit code of the process, 1 to 255.
  var exitCode: Int32 { get }
}
