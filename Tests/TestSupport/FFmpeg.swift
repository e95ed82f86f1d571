import Foundation

/// Makes videos for tests by the ffmpeg of this machine.
public enum FFmpeg {
  public static let isInstalled = ["ffmpeg", "ffprobe"].allSatisfy {
    (try? ProcessRunner.run($0, ["-version"]))?.exitCode == 0
  }

  /// What tests say that need it and are skipped.
  public static let missing = "ffmpeg and ffprobe are not on the PATH (scripts/install --video)"

  /// Encodes frames `[H, W, 3]` without loss, at ten frames a second; or writes pictures, if the name has a `%d`.
  public static func encode(
    _ frames: [[UInt8]], height: Int, width: Int, filter: String = "null", to path: String
  ) throws {
    let raw = NSTemporaryDirectory() + "/sqair-raw-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: raw) }
    try Data(frames.joined()).write(to: URL(fileURLWithPath: raw))
    let isVideo = path.hasSuffix(".mkv") || path.hasSuffix(".avi")
    let codec = isVideo ? ["-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-pix_fmt", "bgr0", "-vsync", "0"] : []
    let outcome = try ProcessRunner.run(
      "ffmpeg",
      [
        "-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(width)x\(height)", "-framerate",
        "10", "-i", raw, "-vf", filter,
      ] + codec + [path])
    guard outcome.exitCode == 0 else { throw ProcessRunnerError(description: "\(outcome)") }
  }
}
