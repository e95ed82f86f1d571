import Foundation
import Processes

/// Writes pictures as an MP4 file. For one thread.
///
/// ffmpeg encodes them in a process of its own. The file gets its name when it is complete.
public final class VideoWriter {
  private let path: String
  private let temporary: String
  private let size: Int
  private let program: ChildProcess
  private var isFinished = false

  /// Starts ffmpeg.
  ///
  /// - Parameters:
  ///   - path: the file; one that is there is replaced.
  ///   - height: rows of each picture, an even number as most players need.
  ///   - width: columns, an even number.
  ///   - frameRate: pictures a second.
  ///   - check: called several times a second while ffmpeg is waited for; what it throws ends the writing.
  /// - Throws: `VideoError` where ffmpeg is missing.
  public init(
    path: String, height: Int, width: Int, frameRate: Double, check: @escaping () throws -> Void = {}
  ) throws {
    precondition(height > 0 && width > 0 && height % 2 == 0 && width % 2 == 0 && frameRate > 0)
    self.path = path
    temporary = "\(path).\(getpid()).part"
    size = height * width * 3
    program = try FFmpegProgram.decode.start(
      [
        "-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(width)x\(height)", "-framerate",
        "\(frameRate)", "-i", "pipe:0", "-pix_fmt", "yuv420p", "-fflags", "+bitexact", "-flags:v", "+bitexact",
        "-map_metadata", "-1", "-threads", "2", "-movflags", "+faststart", "-f", "mp4", "-y", "file:\(temporary)",
      ], for: path, hasInput: true, check: check)
  }

  deinit {
    guard !isFinished else { return }
    program.kill()
    unlink(temporary)
  }

  /// Adds a picture.
  ///
  /// - Parameter pixels: red, green and blue of each pixel, `[H, W, 3]`.
  /// - Throws: `VideoError` with ffmpeg's own words if it ended.
  public func append(_ pixels: [UInt8]) throws {
    precondition(pixels.count == size, "A picture of this video has \(size) bytes, not \(pixels.count).")
    guard try pixels.withUnsafeBytes({ try program.write($0) }) else { throw failure(try program.wait()) }
  }

  /// Completes the file and gives it its name.
  public func finish() throws {
    program.closeInput()
    let ending = try program.wait()
    guard ending == .exited(code: 0) else { throw failure(ending) }
    guard rename(temporary, path) == 0 else {
      throw VideoError(
        path: path, problem: "it cannot be written: \(String(cString: strerror(errno)))",
        hint: "Check the folder and its permissions.")
    }
    isFinished = true
  }

  private func failure(_ ending: ProcessEnding) -> VideoError {
    VideoError(
      path: path, problem: "ffmpeg cannot write it: \(FFmpegProgram.decode.reason(program, ending))",
      hint: "Check the space on the disk, and that this ffmpeg can encode MP4 (ffmpeg -encoders).")
  }
}
