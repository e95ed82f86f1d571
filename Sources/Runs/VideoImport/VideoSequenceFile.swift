import Cluster
import Foundation
import Storage
import Video

/// Sequences cut from a video as a sequence file, for `sqair-dist data video`.
public struct VideoSequenceFile {
  /// What the work has come to.
  public enum Stage: Sendable {
    case background
    case foreground
    case crops
    case sequences
  }

  /// What was found in the video.
  public struct Outcome: Sendable {
    /// Sequences written whose first frame shows 0, 1, 2, ... components, and how many were wanted.
    public let found: [Int]
    public let wanted: [Int]
  }

  /// Memory that frames of one part of the video may take; longer videos are processed in parts.
  private static let segmentBytes = 160 << 20
  /// A sequence that spans more than this cannot be cut.
  private static let largestSpanBytes = 256 << 20

  private let video: VideoFile
  private var settings: VideoSequenceSettings
  private let truth: MOTChallengeTruth?
  private let segmentBytes: Int
  private let onProgress: (_ stage: Stage, _ done: Int, _ total: Int?) throws -> Void

  /// - Parameters:
  ///   - settings: how sequences are cut.
  ///   - video: what they are cut from.
  ///   - truth: boxes in pixels of the video; nil writes none.
  ///   - onProgress: called for every frame and sequence, and while the video is waited for; its errors end the work.
  /// - Throws: `RunError` for settings that contradict each other.
  public init(
    _ settings: VideoSequenceSettings, video: VideoFile, truth: MOTChallengeTruth?,
    onProgress: @escaping (_ stage: Stage, _ done: Int, _ total: Int?) throws -> Void = { _, _, _ in }
  ) throws {
    try self.init(settings, video: video, truth: truth, segmentBytes: Self.segmentBytes, onProgress: onProgress)
  }

  /// - Parameter segmentBytes: memory that frames of one part of the video may take; tests choose little.
  package init(
    _ settings: VideoSequenceSettings, video: VideoFile, truth: MOTChallengeTruth?, segmentBytes: Int,
    onProgress: @escaping (_ stage: Stage, _ done: Int, _ total: Int?) throws -> Void = { _, _, _ in }
  ) throws {
    var settings = settings
    if let problem = settings.problem { throw RunError("Sequences cannot be made: \(problem).") }
    let width = settings.viewWidth ?? video.width(forHeight: settings.viewHeight)
    settings.viewWidth = width
    let largest = Int((Double(settings.size) * (1 + settings.jitter)).rounded())
    guard settings.firstRow + largest <= settings.viewHeight, largest <= width else {
      throw RunError(
        "Crops of \(largest) x \(largest) pixels from row \(settings.firstRow) on do not fit into the view of "
          + "\(settings.viewHeight) x \(width). Choose a smaller --size, --jitter or --first-row, or a larger --view.")
    }
    self.video = video
    self.settings = settings
    self.truth = truth?.scaled(
      vertically: Double(settings.viewHeight) / Double(video.height),
      horizontally: Double(width) / Double(video.width))
    self.segmentBytes = segmentBytes
    self.onProgress = onProgress
  }

  private var height: Int { settings.viewHeight }
  private var width: Int { settings.viewWidth! }

  /// Makes the sequences and writes them. The file gets its name when it is complete and on the disk.
  ///
  /// Equal videos and settings give equal files.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - mean: `[H, W]` in [0, 1], the training set's mean frame, for a file to validate on; nil takes that of this
  ///     file.
  ///   - overwrite: whether a file of that name may be replaced.
  public func write(to path: String, mean: [Float]? = nil, overwrite: Bool = false) throws -> Outcome {
    let (extraction, range) = try prepare()
    let segments = try segments(of: range)
    let selection = CropSelection(settings: settings, truth: truth)
    var chosen: [[Crop]] = []
    var found = [Int](repeating: 0, count: settings.shares.count)
    var whole: Footage?
    try forEachSegment(segments, range, extraction) { index, footage in
      let quota = settings.sequences * (segments[index].upperBound - range.lowerBound) / startCount(range)
      let before = settings.sequences * (segments[index].lowerBound - range.lowerBound) / startCount(range)
      let (crops, kinds) = try selection.choose(
        quota - before, from: footage, starts: segments[index], segment: index
      ) { found in
        // Of a video in parts, the frames tell how far the work has come.
        if segments.count == 1 {
          try onProgress(.crops, found, settings.sequences)
        } else {
          try onProgress(.foreground, footage.end - range.lowerBound, range.count)
        }
      }
      chosen.append(crops)
      for kind in kinds.indices { found[kind] += kinds[kind] }
      if segments.count == 1 { whole = footage }
    }
    let count = chosen.reduce(0) { $0 + $1.count }
    guard count > 0 else {
      throw RunError(
        "'\(video.path)' has no crop of any requested kind. Look at the stages with --preview FILE.png, and change "
          + "--shares, --size or how the foreground is found.")
    }
    let truths = truth.map { truth in chosen.joined().map { $0.truth(truth, settings) } }
    let slots = truths.map { max(1, $0.map(\.identities.count).max() ?? 1) }
    let ignoreSlots = truths.map { max(1, $0.map(\.maximumIgnored).max() ?? 1) }
    guard max(slots ?? 0, ignoreSlots ?? 0) <= 255 else {
      throw RunError("A crop has more than 255 true boxes, which a sequence file cannot hold. Choose a smaller --size.")
    }
    let writer = try SequenceFileWriter(
      path: path,
      settings: SequenceFileSettings(
        sequenceCount: count, frameCount: settings.length, height: settings.size, width: settings.size,
        objectSlots: slots, ignoreSlots: ignoreSlots, seed: settings.seed,
        generator: try SequenceFileSettings.generatorText(settings),
        source: source, mean: mean, overwrite: overwrite))
    StopSignals.removeAtEnd(writer.temporaryPath)
    defer { StopSignals.removeAtEnd(nil) }
    var written = 0
    func append(_ crops: [Crop], _ footage: Footage) throws {
      for crop in crops {
        let stored = truths.map { $0[written].stored(slots: slots!, ignoreSlots: ignoreSlots!) }
        try writer.append(frames: footage.cut(crop, settings), truth: stored)
        written += 1
        try onProgress(.sequences, written, count)
      }
    }
    if let whole {
      try append(chosen[0], whole)
    } else {
      try forEachSegment(segments, range, extraction) { index, footage in try append(chosen[index], footage) }
    }
    try writer.finish()
    return Outcome(found: found, wanted: selection.wanted(settings.sequences))
  }

  /// Takes the background of the video, and says which frames sequences are taken from.
  func prepare() throws -> (extraction: ForegroundExtraction, range: Range<Int>) {
    let total = settings.backgroundFrames.map { $0.last - $0.first + 1 } ?? video.statedFrameCount
    let reader = try VideoReader(
      video, frames: settings.backgroundFrames?.indices, height: height, width: width,
      check: { try onProgress(.background, 0, total) })
    let background = try Background.median(of: reader, path: video.path) { try onProgress(.background, $0, total) }
    let count = settings.backgroundFrames == nil ? reader.count : video.statedFrameCount
    let range: Range<Int>
    if let frames = settings.frames {
      if let count, frames.last > count { throw tooFewFrames(count, frames.indices) }
      range = frames.indices
    } else if settings.backgroundFrames == nil {
      range = 0..<reader.count
    } else if let stated = video.statedFrameCount {
      range = 0..<stated
    } else {
      throw RunError("'\(video.path)' does not say how many frames it has. State them: --frames 1-LAST.")
    }
    return (ForegroundExtraction(background: background, settings: settings.foreground), range)
  }

  /// Number of frames at which a sequence can begin.
  private func startCount(_ range: Range<Int>) -> Int { range.count - settings.span + 1 }

  /// The first frames of sequences, cut into ranges whose footage fits into memory.
  private func segments(of range: Range<Int>) throws -> [Range<Int>] {
    let starts = startCount(range)
    guard starts > 0 else {
      throw RunError(
        "A sequence spans \(settings.span) frames, and there are \(range.count). Choose a smaller --length or --stride, "
          + "or more --frames.")
    }
    let bytes = Footage.bytes(height: height, width: width)
    guard settings.span <= Self.largestSpanBytes / bytes else {
      throw RunError(
        "A sequence spans \(settings.span) frames of \(height) x \(width) pixels, which take more than "
          + "\(Self.largestSpanBytes >> 20) MiB. Choose a smaller --length, --stride or --view.")
    }
    let most = max(1, segmentBytes / bytes - settings.span + 1)
    let count = (starts + most - 1) / most
    return (0..<count).map { range.lowerBound + starts * $0 / count..<range.lowerBound + starts * ($0 + 1) / count }
  }

  /// Finds the foreground of all frames in `range`, and gives each segment its footage.
  private func forEachSegment(
    _ segments: [Range<Int>], _ range: Range<Int>, _ extraction: ForegroundExtraction,
    _ body: (_ index: Int, _ footage: Footage) throws -> Void
  ) throws {
    var footage = Footage(height: height, width: width, first: range.lowerBound)
    var index = 0
    let reader = try VideoReader(
      video, frames: range, height: height, width: width,
      check: { try onProgress(.foreground, 0, range.count) })
    func processIfComplete() throws {
      guard index < segments.count, footage.end == segments[index].upperBound + settings.span - 1 else { return }
      try body(index, footage)
      index += 1
      if index < segments.count { footage.drop(before: segments[index].lowerBound) }
    }
    // A segment is processed once there is a next frame or none, so that ffmpeg has ended before the last one.
    while let frame = try reader.next() {
      try processIfComplete()
      footage.append(extraction.extract(frame))
      try onProgress(.foreground, reader.count, range.count)
    }
    try processIfComplete()
    guard index == segments.count else {
      throw tooFewFrames(reader.count > 0 ? footage.end : nil, range)
    }
  }

  /// - Parameter count: frames of the video; nil if it ends before the first that is asked for.
  private func tooFewFrames(_ count: Int?, _ range: Range<Int>) -> RunError {
    let has = count.map { "has \($0) frames" } ?? "has fewer than \(range.lowerBound + 1) frames"
    return RunError(
      "'\(video.path)' \(has), and frames \(range.lowerBound + 1)-\(range.upperBound) are to be read. Choose other "
        + "--frames.")
  }

  private var source: String {
    "video '\((video.path as NSString).lastPathComponent)', \(video.height) x \(video.width) pixels"
  }

  /// Draws the stages in which the foreground of three frames is found.
  public func preview() throws -> ForegroundPreview {
    let (extraction, range) = try prepare()
    var preview = ForegroundPreview(background: extraction.background, settings: settings)
    for quarter in 1...3 {
      let index = range.lowerBound + range.count * quarter / 4
      let reader = try VideoReader(
        video, frames: index..<index + 1, height: height, width: width,
        check: { try onProgress(.foreground, quarter - 1, 3) })
      guard let frame = try reader.next() else { throw tooFewFrames(nil, index..<index + 1) }
      preview.add(frame, extraction.extract(frame), number: index + 1)
      try onProgress(.foreground, quarter, 3)
    }
    return preview
  }
}
