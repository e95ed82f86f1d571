import Foundation

/// Runs Python programs: second, independent readers and reckoners to agree with.
public enum Python {
  /// The interpreter: that of the environment variable `SQAIR_PYTHON`, else the `python3` on the path.
  public static var interpreter: String { ProcessInfo.processInfo.environment["SQAIR_PYTHON"] ?? "python3" }

  /// Whether the interpreter is there and can import all these modules.
  public static func has(_ modules: String...) -> Bool {
    (try? run("import \(modules.joined(separator: ", "))", [])) != nil
  }

  /// Runs a program given as text; returns its standard output.
  ///
  /// - Throws: its complaint when it fails, be it by a failed assertion.
  @discardableResult
  public static func run(_ program: String, _ arguments: [String]) throws -> String {
    try run(["-c", program] + arguments)
  }

  /// Runs a program that is a file; returns its standard output.
  @discardableResult
  public static func run(file: String, _ arguments: [String]) throws -> String { try run([file] + arguments) }

  private static func run(_ arguments: [String]) throws -> String {
    let outcome = try ProcessRunner.run(interpreter, arguments, timeout: 120)
    guard outcome.exitCode == 0 else { throw ProcessRunnerError(description: "\(interpreter): \(outcome)") }
    return outcome.standardOutput
  }
}
