import Foundation
import TestSupport

/// Makes videos for tests.
enum FFmpeg {
  static let isInstalled = ["ffmpeg", "ffprobe"].allSatisfy {
    (try? ProcessRunner.run($0, ["-version"]))?.exitCode == 0
  }

  /// Encodes frames of 24 x 32 pixels, each of one grey level, without loss, at ten frames a second.
  static func encode(greyLevels: [Int], filter: String = "null", to path: String) throws {
    let raw = NSTemporaryDirectory() + "/sqair-raw-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: raw) }
    try Data(greyLevels.flatMap { [UInt8](repeating: UInt8($0), count: 24 * 32 * 3) })
      .write(to: URL(fileURLWithPath: raw))
    let isVideo = path.hasSuffix(".mkv") || path.hasSuffix(".avi")
    let codec = isVideo ? ["-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-pix_fmt", "bgr0", "-vsync", "0"] : []
    let outcome = try ProcessRunner.run(
      "ffmpeg",
      [
        "-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "32x24", "-framerate", "10", "-i",
        raw,
        "-vf", filter,
      ] + codec + [path])
    guard outcome.exitCode == 0 else { throw ProcessFailure(description: "\(outcome)") }
  }

  struct ProcessFailure: Error, CustomStringConvertible {
    let description: String
  }
}
