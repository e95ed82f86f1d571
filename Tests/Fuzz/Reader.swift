import Foundation

/// The child process that reads mutated files: one line "FORMAT PATH" in, one line "accepted" or "refused" out.
final class Reader {
  enum Answer: Equatable {
    case accepted
    /// With the text of the error.
    case refused(String)
    /// The process ended, with the exit code of a shell: 128 + signal.
    case died(Int32)
    case hung
  }

  /// More than any of the small inputs can need; a claim beyond it is a memory blow-up.
  private static let memoryLimit: UInt64 = 1 << 30

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffer: [UInt8] = []

  init(errors: String) throws {
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--reader"]
    process.standardInput = input
    process.standardOutput = output
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
  }

  /// Asks for one file, and waits `seconds` at most.
  func read(_ path: String, as format: InputFormat, seconds: Double) -> Answer {
    input.fileHandleForWriting.write(Data("\(format.rawValue) \(path)\n".utf8))
    let descriptor = output.fileHandleForReading.fileDescriptor
    let end = Date(timeIntervalSinceNow: seconds)
    while true {
      if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[..<newline], as: UTF8.self)
        buffer.removeSubrange(...newline)
        return line == "accepted" ? .accepted : .refused(String(line.dropFirst("refused ".count)))
      }
      let left = end.timeIntervalSinceNow
      guard left > 0 else {
        stop()
        return .hung
      }
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard Glibc.poll(&poll, 1, Int32(left * 1000) + 1) > 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let count = Glibc.read(descriptor, &bytes, bytes.count)
      guard count > 0 else {
        process.waitUntilExit()
        let code = process.terminationStatus
        return .died(process.terminationReason == .uncaughtSignal ? 128 + code : code)
      }
      buffer += bytes[..<count]
    }
  }

  func stop() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// The child's side.
  static func answer() {
    var limit = rlimit(rlim_cur: rlim_t(memoryLimit), rlim_max: rlim_t(memoryLimit))
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    while let line = readLine() {
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2, let format = InputFormat(rawValue: parts[0]) else { return }
      var answer = "accepted"
      do {
        try format.read(parts[1])
      } catch {
        answer = "refused \(error)".replacing("\n", with: " ")
      }
      FileHandle.standardOutput.write(Data((answer + "\n").utf8))
    }
  }
}
