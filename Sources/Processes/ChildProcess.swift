import Foundation

/// Another program whose output is read through a pipe, or whose input is written, while it runs. For one thread.
///
/// The program is in a process group of its own, so that an interrupt from the keyboard reaches this program alone,
/// which then ends the other. If this program is killed, the other ends when it writes to the pipe.
package final class ChildProcess {
  /// Milliseconds between two calls of `check` while the program writes nothing.
  private static let pollInterval: Int32 = 100
  /// Bytes of the program's messages that are kept, from the end.
  private static let keptMessages = 8192

  private let identifier: pid_t
  private var output: Int32
  private var errors: Int32
  /// Where the program reads its input from; -1 if it has none.
  private var input: Int32 = -1
  private var messageBytes: [UInt8] = []
  private var ending: ProcessEnding?
  private let check: () throws -> Void

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: its name, looked up in `PATH`.
  ///   - hasInput: whether the program reads what is given to `write`; otherwise its input is empty.
  ///   - check: called several times a second while the program is waited for; what it throws ends the work.
  /// - Throws: `ProcessStartError`.
  package init(
    _ program: String, _ arguments: [String], hasInput: Bool = false, check: @escaping () throws -> Void
  ) throws {
    self.check = check
    let (outputRead, outputWrite) = try Self.makePipe()
    let (errorRead, errorWrite): (Int32, Int32)
    do {
      (errorRead, errorWrite) = try Self.makePipe()
    } catch {
      close(outputRead)
      close(outputWrite)
      throw error
    }
    defer {
      close(outputWrite)
      close(errorWrite)
    }
    (output, errors) = (outputRead, errorRead)
    // A socket, because writing to one that nobody reads is an error and not a signal.
    var sockets: [Int32] = [-1, -1]
    if hasInput, socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &sockets) != 0 {
      let code = errno
      close(outputRead)
      close(errorRead)
      throw ProcessStartError(code: code)
    }
    for end in sockets where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { if sockets[1] >= 0 { close(sockets[1]) } }

    do {
      identifier = try startProcess(
        program, arguments: [program] + arguments, environment: ProcessInfo.processInfo.environment,
        streams: StandardStreams(input: hasInput ? sockets[1] : nil, output: outputWrite, errors: errorWrite),
        ownGroup: true)
    } catch {
      close(outputRead)
      close(errorRead)
      if hasInput { close(sockets[0]) }
      throw error
    }
    input = sockets[0]
  }

  deinit { kill() }

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ProcessStartError(code: errno) }
    // Programs that this one starts later must not hold the ends open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Reads until `buffer` is full or the program has closed its output.
  ///
  /// - Returns: the number of bytes read, fewer than asked for only at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count, output >= 0 {
      try check()
      var polled = [
        pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&polled, nfds_t(polled.count), Self.pollInterval) > 0 else { continue }
      if polled[1].revents != 0 { takeMessages() }
      guard polled[0].revents != 0 else { continue }
      let count = Glibc.read(output, buffer.baseAddress! + filled, buffer.count - filled)
      if count > 0 {
        filled += count
      } else if count == 0 || errno != EINTR {
        close(output)
        output = -1
      }
    }
    return filled
  }

  /// Writes to the input of the program.
  ///
  /// - Returns: whether the program took all of it; false if it has ended or closed its input.
  package func write(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
    var written = 0
    while written < bytes.count {
      try check()
      guard input >= 0 else { return false }
      var polled = [
        pollfd(fd: input, events: Int16(POLLOUT), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&polled, nfds_t(polled.count), Self.pollInterval) > 0 else { continue }
      if polled[1].revents != 0 { takeMessages() }
      guard polled[0].revents != 0 else { continue }
      let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
      let count = send(input, bytes.baseAddress! + written, bytes.count - written, flags)
      if count >= 0 {
        written += count
      } else if errno != EINTR, errno != EAGAIN {
        closeInput()
      }
    }
    return true
  }

  /// Tells the program that there is no more input.
  package func closeInput() {
    guard input >= 0 else { return }
    close(input)
    input = -1
  }

  /// Reads everything that the program writes from now on.
  ///
  /// - Parameter limit: bytes that are kept at most.
  package func readToEnd(limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try piece.withUnsafeMutableBytes { try read(into: $0) }
      if bytes.count < limit { bytes += piece[..<min(count, limit - bytes.count)] }
      if count < piece.count { return bytes }
    }
  }

  /// Waits for the end of the program, which has closed its output.
  package func wait() throws -> ProcessEnding {
    while errors >= 0 {
      try check()
      var polled = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
      if poll(&polled, 1, Self.pollInterval) > 0 { takeMessages() }
    }
    while true {
      try check()
      if let ending = reap(WNOHANG) { return ending }
      usleep(1000)
    }
  }

  /// Ends the program if it still runs, and waits for it, so that no process remains.
  package func kill() {
    closeInput()
    for descriptor in [output, errors] where descriptor >= 0 { close(descriptor) }
    (output, errors) = (-1, -1)
    guard ending == nil else { return }
    Glibc.kill(identifier, SIGKILL)
    while reap(0) == nil {}
  }

  private func reap(_ options: Int32) -> ProcessEnding? {
    if let ending { return ending }
    var status: Int32 = 0
    let found = waitpid(identifier, &status, options)
    // No such child: something else in this process has waited for it, so its code is unknown.
    if found < 0, errno == ECHILD { ending = .exited(code: 0) }
    guard found == identifier else { return ending }
    ending = ProcessEnding(status: status)
    return ending
  }

  private func takeMessages() {
    var piece = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(errors, &piece, piece.count)
    if count > 0 {
      messageBytes += piece[..<count]
      if messageBytes.count > Self.keptMessages { messageBytes.removeFirst(messageBytes.count - Self.keptMessages) }
    } else if count == 0 || errno != EINTR {
      close(errors)
      errors = -1
    }
  }

  /// The last lines of what the program wrote to standard error.
  package func lastMessages(_ count: Int = 3) -> String {
    let text = String(decoding: messageBytes, as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).suffix(count)
    return lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
  }
}
