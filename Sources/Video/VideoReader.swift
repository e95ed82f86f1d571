import Foundation
import Processes

/// Reads the frames of a video one after another. For one thread.
///
/// ffmpeg decodes and scales them in a process of its own, which ends with the reader. Every frame of the file is
/// returned once: none is dropped or repeated to fit a frame rate.
public final class VideoReader {
  public let height: Int
  public let width: Int
  /// Frames returned so far.
  public private(set) var count = 0

  private let video: VideoFile
  private let frames: Range<Int>?
  private let program: ChildProcess
  private let check: () throws -> Void
  private let list: PictureList?
  private var isAtEnd = false

  /// Starts reading.
  ///
  /// - Parameters:
  ///   - frames: indices of the frames to read, from 0; nil for all. Frames before them are decoded and dropped,
  ///     because few formats tell where a frame begins.
  ///   - height: rows that each frame is scaled to.
  ///   - width: columns that each frame is scaled to.
  ///   - check: called several times a second while a frame is waited for; what it throws ends the reading.
  /// - Throws: `VideoError` for sides that are not possible, or where ffmpeg is missing.
  public init(
    _ video: VideoFile, frames: Range<Int>? = nil, height: Int, width: Int, check: @escaping () throws -> Void = {}
  ) throws {
    guard (1...VideoFile.largestSide).contains(height), (1...VideoFile.largestSide).contains(width) else {
      throw VideoError(
        path: video.path, problem: "frames cannot be scaled to \(height) x \(width)",
        hint: "Ask for sides of 1 to \(VideoFile.largestSide) pixels.")
    }
    self.video = video
    self.frames = frames
    self.height = height
    self.width = width
    self.check = check
    let list: PictureList?
    let source: [String]
    switch video.input {
    case .file:
      list = nil
      source = ["-i", "file:\(video.path)"]
    case .pictures(let pictures):
      let made = try PictureList(pictures, folder: video.path)
      list = made
      // Some pictures may be grey and others in colour: where that starts the filters anew, frames get lost.
      // And all have the orientation in which they are stored, so that they have one size.
      source = ["-noautorotate", "-reinit_filter", "0", "-f", "concat", "-safe", "0", "-i", "file:\(made.path)"]
    }
    self.list = list
    let range = frames.map { "trim=start_frame=\($0.lowerBound):end_frame=\($0.upperBound)," } ?? ""
    program = try FFmpegProgram.decode.start(
      ["-nostdin", "-v", "error", "-protocol_whitelist", "file", "-threads", "2"] + source + [
        "-map", "0:v:0",
        // A time stamp of its own for each frame: at a constant rate ffmpeg would drop and repeat frames.
        "-vf",
        "\(range)scale=\(width):\(height):flags=area+accurate_rnd+full_chroma_int+bitexact,format=rgb24,"
          + "settb=1/25,setpts=N",
        "-r", "25", "-f", "rawvideo", "pipe:1",
      ], for: video.path, check: check)
  }

  /// The next frame; nil at the end.
  ///
  /// - Throws: `VideoError` with ffmpeg's own words for a video that is damaged or ends too early, and what `check`
  ///   throws.
  public func next() throws -> VideoFrame? {
    guard !isAtEnd else { return nil }
    let size = height * width * 3
    var filled = 0
    let pixels = try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      filled = try program.read(into: UnsafeMutableRawBufferPointer(buffer))
      initialized = filled
    }
    guard filled == size else {
      isAtEnd = true
      try finish(isCut: filled > 0)
      return nil
    }
    count += 1
    if let frames, count == frames.count {
      // Nothing more will come; waiting for the end of ffmpeg now leaves no process behind.
      isAtEnd = true
      try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { try finish(isCut: program.read(into: $0) > 0) }
    }
    return VideoFrame(height: height, width: width, pixels: pixels)
  }

  /// Ends ffmpeg. Reading further is not possible.
  public func close() {
    isAtEnd = true
    program.kill()
  }

  private func finish(isCut: Bool) throws {
    let ending = try program.wait()
    // A signal to the whole job may have ended ffmpeg first; then that is what happened.
    try check()
    guard ending == .exited(code: 0), !isCut else {
      throw VideoError(
        path: video.path,
        problem: "ffmpeg cannot decode it beyond frame \(position): \(FFmpegProgram.decode.reason(program, ending))"
          + cutPicture,
        hint: repair)
    }
    let messages = Self.withoutMetadata(program.lastMessages())
    guard messages.isEmpty else {
      throw VideoError(path: video.path, problem: "ffmpeg finds damage in it: \(messages)\(cutPicture)", hint: repair)
    }
    // Some containers count a few frames that are not shown, so not every missing frame is damage.
    guard let stated = video.statedFrameCount else { return }
    let expected = min(stated, frames?.upperBound ?? stated) - (frames?.lowerBound ?? 0)
    guard count >= expected - (list != nil ? 0 : max(2, expected / 100)) else {
      throw VideoError(
        path: video.path, problem: "it ends after frame \(position), but states \(stated) frames\(cutPicture)",
        hint: repair)
    }
  }

  private var repair: String {
    list != nil
      ? "Copy the pictures again from their source; if they are damaged there, leave that one out."
      : "Copy it again from its source; if it is damaged there, make a new video of what can be read: "
        + "ffmpeg -i OLD -c:v ffv1 NEW.mkv"
  }

  /// Names the first picture without an end, because ffmpeg does not; empty if there is none.
  private var cutPicture: String {
    guard case .pictures(let pictures) = video.input,
      let cut = pictures.first(where: { !PictureEnd(of: $0).isComplete })
    else { return "" }
    return " ('\((cut as NSString).lastPathComponent)' has no end)"
  }

  /// What ffmpeg says of the pixels: faults of what cameras and editors write beside them are none.
  private static func withoutMetadata(_ messages: String) -> String {
    let harmless = ["invalid TIFF header", "EXIF", "APP fields", "Incorrect BOM"]
    return messages.split(separator: "\n").filter { line in !harmless.contains { line.contains($0) } }
      .joined(separator: "\n")
  }

  /// Number of the last frame that was returned, counted from 1 in the video.
  private var position: Int { (frames?.lowerBound ?? 0) + count }
}
