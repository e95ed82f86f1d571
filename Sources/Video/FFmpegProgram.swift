import Foundation
import Processes

/// The two programs of ffmpeg.
enum FFmpegProgram: String {
  case decode = "ffmpeg"
  case probe = "ffprobe"

  /// Starts the program on a video.
  ///
  /// - Throws: `VideoError` that says how to install ffmpeg where it is missing.
  func start(
    _ arguments: [String], for path: String, hasInput: Bool = false, check: @escaping () throws -> Void
  ) throws -> ChildProcess {
    do {
      return try ChildProcess(rawValue, arguments, hasInput: hasInput, check: check)
    } catch let failure as ProcessStartError {
      let isMissing = [ENOENT, EACCES, ENOTDIR].contains(failure.code)
      throw VideoError(
        path: path,
        problem: isMissing
          ? "for videos and pictures, the program '\(rawValue)' is needed, and it is not on the PATH"
          : "the program '\(rawValue)' cannot be started: \(String(cString: strerror(failure.code)))",
        hint: isMissing
          ? "Run scripts/install --video, or load ffmpeg as this site does (module load ffmpeg)."
          : "Check the limits of processes and memory on this machine.")
    }
  }

  /// Why the program failed: its own last lines, or how it ended if it said nothing.
  func reason(_ program: ChildProcess, _ ending: ProcessEnding) -> String {
    let messages = program.lastMessages()
    switch ending {
    case .signalled(let signal):
      return "\(rawValue) was ended by signal \(signal)" + (messages.isEmpty ? "" : " (\(messages))")
    case .exited(let code):
      return messages.isEmpty ? "\(rawValue) ended with code \(code) and said nothing" : messages
    }
  }
}
