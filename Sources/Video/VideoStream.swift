import Foundation
import Processes

/// What ffprobe says of the video in a file.
struct VideoStream {
  let shownHeight: Int
  let shownWidth: Int
  let rate: Double?
  let frameCount: Int?

  /// The parts of ffprobe's JSON that are used.
  private struct Answer: Decodable {
    struct Stream: Decodable {
      struct SideData: Decodable {
        let rotation: Double?
      }
      let width: Int?
      let height: Int?
      let sampleAspectRatio: String?
      let avgFrameRate: String?
      let nbFrames: String?
      let duration: String?
      let sideDataList: [SideData]?
    }
    let streams: [Stream]?
  }

  static func probe(_ path: String, check: @escaping () throws -> Void) throws -> VideoStream {
    let program = try FFmpegProgram.probe.start(
      [
        "-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0", "-show_streams", "-of", "json", "-i",
        "file:\(path)",
      ], for: path, check: check)
    let answer = try program.readToEnd(limit: 1 << 20)
    let ending = try program.wait()
    guard ending == .exited(code: 0) else {
      throw VideoError(
        path: path, problem: "ffprobe cannot read it: \(FFmpegProgram.probe.reason(program, ending))",
        hint: "Check that it is a video, and that it was copied completely.")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let stream = try? decoder.decode(Answer.self, from: Data(answer)).streams?.first,
      let height = stream.height, let width = stream.width, height > 0, width > 0
    else {
      throw VideoError(path: path, problem: "ffprobe finds no video in it", hint: "Check that it is a video.")
    }
    // Pixels that are not square are stretched to the side, as players do.
    let pixel = ratio(stream.sampleAspectRatio, separator: ":") ?? 1
    let stretched = max(1, Int((Double(width) * min(max(pixel, 0.01), 100)).rounded()))
    let quarters = (stream.sideDataList ?? []).compactMap(\.rotation).first.map { Int(($0 / 90).rounded()) } ?? 0
    let isTurned = quarters % 2 != 0
    let rate = ratio(stream.avgFrameRate, separator: "/")
    let stored = stream.nbFrames.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    // A video that was trimmed without decoding keeps frames that are not shown, back to a key frame.
    let duration = stream.duration.flatMap { Double($0) } ?? .infinity
    let shown = duration * (rate ?? .infinity)
    let count = stored.map { shown >= 1 && shown < Double($0) ? Int(shown) : $0 }
    return VideoStream(
      shownHeight: isTurned ? stretched : height, shownWidth: isTurned ? height : stretched, rate: rate,
      frameCount: count)
  }

  /// A quotient such as "30000/1001" that is positive and finite.
  private static func ratio(_ text: String?, separator: Character) -> Double? {
    let parts = (text ?? "").split(separator: separator).map { Double($0) ?? 0 }
    guard parts.count == 2, parts[0] > 0, parts[1] > 0 else { return nil }
    return parts[0] / parts[1]
  }
}
