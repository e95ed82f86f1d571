import Foundation
import Processes

/// What a program left behind when it ended.
public struct ProcessOutcome: Sendable, CustomStringConvertible {
  /// The exit code; 128 + the signal's number for a program that a signal ended, as a shell reports it.
  public let exitCode: Int32
  public let standardOutput: String
  public let standardError: String
  /// True when the time was over and the program was killed.
  public let timedOut: Bool
  /// Wall-clock time from start to end.
  public let seconds: Double

  /// Everything, for the message of a failed expectation.
  public var description: String {
    "exit code \(exitCode)\(timedOut ? " (timed out)" : "") after \(seconds) s\n"
      + "--- standard output\n\(standardOutput)--- standard error\n\(standardError)---"
  }
}

/// A program could not be started or waited for.
public struct ProcessRunnerError: Error, CustomStringConvertible {
  public let description: String
}

/// Runs programs for tests: with a time limit, both outputs captured, and no process left behind.
public enum ProcessRunner {
  /// Runs `program` to its end.
  ///
  /// - Parameters:
  ///   - program: a path, or a name to look up in `PATH`.
  ///   - environment: the whole environment of the program.
  ///   - timeout: seconds after which the program and its process group are killed.
  public static func run(
    _ program: String, _ arguments: [String] = [],
    environment: [String: String] = ProcessInfo.processInfo.environment, timeout: Double = 60
  ) throws -> ProcessOutcome {
    try start(program, arguments, environment: environment).wait(timeout: timeout)
  }

  /// Starts `program` and returns at once; for tests that send it signals. `wait` must be called in the end.
  public static func start(
    _ program: String, _ arguments: [String] = [],
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> RunningProcess {
    let output = try CaptureFile(), errors = try CaptureFile()
    do throws(ProcessStartError) {
      // A group of its own, so that a time limit reaches its children.
      let identifier = try startProcess(
        program, arguments: [program] + arguments, environment: environment,
        streams: StandardStreams(output: output.descriptor, errors: errors.descriptor), ownGroup: true)
      return RunningProcess(identifier: identifier, output: output, errors: errors)
    } catch {
      throw ProcessRunnerError(description: "cannot start \(program): \(String(cString: strerror(error.code)))")
    }
  }
}

/// A program that is running. For one thread.
public final class RunningProcess {
  /// Its process id, which is also its process group.
  public let identifier: pid_t
  private let output: CaptureFile
  private let errors: CaptureFile
  private let started = ContinuousClock.now

  fileprivate init(identifier: pid_t, output: CaptureFile, errors: CaptureFile) {
    self.identifier = identifier
    self.output = output
    self.errors = errors
  }

  /// What it has printed so far.
  public var standardOutput: String { output.contents() }
  public var standardError: String { errors.contents() }

  /// Sends a signal to the program itself, not to its children.
  public func send(_ signal: Int32) { kill(identifier, signal) }

  /// Waits until `condition` holds for the standard output so far; false when it did not within `timeout` seconds.
  public func waitForOutput(timeout: Double = 30, _ condition: (String) -> Bool) -> Bool {
    let limit = ContinuousClock.now + .seconds(timeout)
    while ContinuousClock.now < limit {
      if condition(standardOutput) { return true }
      usleep(10_000)
    }
    return false
  }

  /// Waits for the end. After `timeout` seconds the program is asked to end, so that it can end its children on other
  /// process groups, and killed with its group two seconds later.
  public func wait(timeout: Double = 60) throws -> ProcessOutcome {
    var status = try poll(seconds: timeout)
    let timedOut = status == nil
    if timedOut {
      kill(identifier, SIGTERM)
      status = try poll(seconds: 2)
    }
    kill(-identifier, SIGKILL)
    let final = try status ?? poll(seconds: .infinity) ?? 0
    let elapsed = (ContinuousClock.now - started).components
    let exitCode =
      switch ProcessEnding(status: final) {
      case .exited(let code): code
      case .signalled(let signal): 128 + signal
      }
    return ProcessOutcome(
      exitCode: exitCode,
      standardOutput: output.contents(), standardError: errors.contents(), timedOut: timedOut,
      seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
  }

  /// The wait status once the program has ended; nil after `seconds`.
  private func poll(seconds: Double) throws -> Int32? {
    let start = ContinuousClock.now
    var pause: UInt32 = 1_000
    while true {
      var status: Int32 = 0
      let found = waitpid(identifier, &status, WNOHANG)
      if found == identifier { return status }
      if found < 0 && errno != EINTR {
        throw ProcessRunnerError(
          description: "cannot wait for process \(identifier): \(String(cString: strerror(errno)))")
      }
      if seconds.isFinite, ContinuousClock.now - start > .seconds(seconds) { return nil }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }
}

/// A file without a name that a program writes to. Unlike a pipe it never fills, and a grandchild that lives on does
/// not keep the reader waiting.
private final class CaptureFile {
  let descriptor: Int32

  init() throws {
    var path = Array("\(NSTemporaryDirectory())/sqair-capture-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else {
      throw ProcessRunnerError(
        description: "cannot make a file for a program's output: \(String(cString: strerror(errno)))")
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(path)
  }

  deinit { close(descriptor) }

  func contents() -> String {
    var bytes: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &piece, piece.count, off_t(bytes.count))
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
  }
}
