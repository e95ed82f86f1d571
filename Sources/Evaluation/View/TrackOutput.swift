import Cluster
import Foundation
import Report
import Runs
import Storage
import Tracking
import Video

/// The files of `track`: tracks as text, a video and an animation with boxes, and the report.
struct TrackOutput {
  static let textName = "tracks.txt", videoName = "tracks.mp4", animationName = "tracks.gif"
  static let recordName = OutputKind.trackRecordName

  let folder: String

  /// Pictures in the animation at most.
  private static let mostAnimated = 200
  /// Rows of the video and of the animation at most.
  private static let largestVideo = 720, largestAnimation = 270

  /// Makes the folder once all files may be written.
  func prepare(_ outputs: OutputPaths) throws {
    try makeFolder(
      folder,
      for: [
        (Self.textName, .tracks), (Self.videoName, .video), (Self.animationName, .animation),
        (Self.recordName, .trackRecord),
      ], outputs)
  }

  /// Writes all files, the record last. A missing ffmpeg costs the video only.
  ///
  /// - Parameter report: receives the digests of the files.
  func write(_ report: inout TrackReport, _ frames: [[TrackedBox]], _ source: ForegroundVideo, _ truth: ViewTruth?)
    throws
  {
    let scale = (
      y: Double(source.video.height) / Double(source.height), x: Double(source.video.width) / Double(source.width)
    )
    let text = MOTChallengeText.tracks(
      frames.map { $0.map { $0.scaled(y: scale.y, x: scale.x) } }, firstFrame: source.frames.lowerBound)
    // An earlier video must not remain next to new tracks or an unrelated record.
    for name in [Self.videoName, Self.animationName] { unlink(path(name)) }
    try write(Array(text.utf8), Self.textName, &report)
    do {
      try writeVideo(frames, source, truth)
      try note(Self.videoName, &report)
    } catch let error as VideoError {
      let warning = "warning: \(folder)/\(Self.videoName) was not written: \(error)\n"
      try? FileHandle.standardError.write(contentsOf: Data(warning.utf8))
    }
    try writeAnimation(frames, source, truth)
    report.files[Self.animationName] = try sha256(ofFile: path(Self.animationName))
    try OutputFile.replace(path(Self.recordName), with: Array((report.json() + "\n").utf8), mark: nil)
  }

  private func path(_ name: String) -> String { folder + "/" + name }

  private func write(_ bytes: [UInt8], _ name: String, _ report: inout TrackReport) throws {
    try OutputFile.replace(path(name), with: bytes, mark: nil)
    try note(name, &report)
  }

  /// Records a file at once, so that it is known as an output even if the command is stopped now.
  private func note(_ name: String, _ report: inout TrackReport) throws {
    report.files[name] = try sha256(ofFile: path(name))
    try OutputFile.replace(path(Self.recordName), with: Array((report.json() + "\n").utf8), mark: nil)
  }

  private func writeVideo(_ frames: [[TrackedBox]], _ source: ForegroundVideo, _ truth: ViewTruth?) throws {
    let height = max(2, min(source.video.height, Self.largestVideo) / 2 * 2)
    let width = max(2, source.video.width(forHeight: height) / 2 * 2)
    let writer = try VideoWriter(
      path: path(Self.videoName), height: height, width: width, frameRate: source.video.frameRate ?? 25,
      check: { try Interrupted.throwIfRequested() })
    try draw(frames, source, truth, height: height, width: width, isGrey: false, label: "video") { _, picture in
      try writer.append(picture.pixels)
    }
    try writer.finish()
  }

  private func writeAnimation(_ frames: [[TrackedBox]], _ source: ForegroundVideo, _ truth: ViewTruth?) throws {
    let height = min(source.video.height, Self.largestAnimation)
    let width = source.video.width(forHeight: height)
    let every = (frames.count + Self.mostAnimated - 1) / Self.mostAnimated
    let animation = try AnimatedGIF(width: width, height: height)
    // A GIF has few colours, which are kept for the boxes.
    try draw(frames, source, truth, height: height, width: width, isGrey: true, label: "animation") { index, picture in
      guard index % every == 0 else { return }
      try animation.append(picture, seconds: Double(every) / (source.video.frameRate ?? 25))
    }
    try OutputFile.replace(path(Self.animationName), with: animation.finish(), mark: .animation)
  }

  /// Draws all frames one after another.
  private func draw(
    _ frames: [[TrackedBox]], _ source: ForegroundVideo, _ truth: ViewTruth?, height: Int, width: Int, isGrey: Bool,
    label: String,
    _ body: (_ index: Int, Picture) throws -> Void
  ) throws {
    let reader = try VideoReader(
      source.video, frames: source.frames, height: height, width: width, check: { try Interrupted.throwIfRequested() })
    let drawing = TrackDrawing(
      frames: frames, truth: truth?.boxes.objects ?? [], scaleY: Double(height) / Double(source.height),
      scaleX: Double(width) / Double(source.width))
    let line = ProgressLine(label: label, total: UInt64(frames.count), unit: "frames")
    var index = 0
    while index < frames.count, let frame = try reader.next() {
      var picture = Picture(width: width, height: height, pixels: isGrey ? Self.grey(frame.pixels) : frame.pixels)
      drawing.draw(index, on: &picture)
      try body(index, picture)
      index += 1
      line.update(UInt64(index))
    }
    line.finish()
  }

  /// The same brightness (Rec. 601) in all three colours.
  private static func grey(_ pixels: [UInt8]) -> [UInt8] {
    var result = pixels
    for start in stride(from: 0, to: pixels.count, by: 3) {
      let sum = 299 * Int(pixels[start]) + 587 * Int(pixels[start + 1]) + 114 * Int(pixels[start + 2])
      let value = UInt8((sum + 500) / 1000)
      for part in start..<start + 3 { result[part] = value }
    }
    return result
  }
}

extension TrackedBox {
  /// The box in pixels of another size.
  func scaled(y vertical: Double, x horizontal: Double) -> TrackedBox {
    TrackedBox(id: id, y: y * vertical, x: x * horizontal, height: height * vertical, width: width * horizontal)
  }
}
