import Report
import Runs
import Video

/// The frames of a video with bright objects on black, read once from the first to the last. For rank 0.
final class ForegroundVideo {
  let video: VideoFile
  /// Rows and columns of the view.
  let height: Int
  let width: Int
  /// Indices of the frames in the video.
  let frames: Range<Int>
  private let extraction: ForegroundExtraction
  private let reader: VideoReader

  /// Takes the background of the whole video and starts reading.
  ///
  /// - Parameters:
  ///   - frames: indices of the frames to read; nil for all.
  ///   - backgroundFrames: indices of the frames that the background is taken from; nil for all.
  /// - Throws: `VideoError`, `RunError` for frames that the video does not have.
  init(
    _ path: String, height: Int, width: Int?, frames: Range<Int>?, backgroundFrames: Range<Int>?,
    settings: ForegroundSettings
  ) throws {
    let check = { try Interrupted.throwIfRequested() }
    video = try VideoFile(path: path, check: check)
    self.height = height
    self.width = width ?? video.width(forHeight: height)
    let background = try VideoReader(video, frames: backgroundFrames, height: height, width: self.width, check: check)
    let total = backgroundFrames?.count ?? video.statedFrameCount
    let line = ProgressLine(label: "background", total: total.map { UInt64($0) }, unit: "frames")
    extraction = ForegroundExtraction(
      background: try Background.median(of: background, path: path) { line.update(UInt64($0)) }, settings: settings)
    line.finish()
    let count = backgroundFrames == nil ? background.count : video.statedFrameCount
    guard let range = frames ?? count.map({ 0..<$0 }) else {
      throw RunError("'\(path)' does not say how many frames it has. State them: --frames 1-LAST.")
    }
    if let count, range.upperBound > count {
      throw RunError(
        "--frames \(range.lowerBound + 1)-\(range.upperBound): '\(path)' has \(count) frames. Give frames from 1 to "
          + "\(count).")
    }
    self.frames = range
    reader = try VideoReader(video, frames: range, height: height, width: self.width, check: check)
  }

  /// The next frame [H, W], 0 black to 255 white; nil behind the last one.
  func next() throws -> [UInt8]? {
    try reader.next().map { frame in extraction.extract(frame).values.map { UInt8($0 * 255 + 0.5) } }
  }
}
