import Foundation
import Runs
import Storage
import TestSupport
import Testing
import Video

/// Sequences from a video that the tests draw themselves.
@Suite(.enabled(if: FFmpeg.isInstalled, "\(FFmpeg.missing)")) struct VideoSequenceFileTests {
  private static let figures = WalkingFigures(frames: 90)
  private let folder: TemporaryDirectory
  private let video: VideoFile
  private let truth: MOTChallengeTruth

  init() throws {
    folder = try TemporaryDirectory()
    try Self.figures.write(to: folder.path("street.mkv"))
    video = try VideoFile(path: folder.path("street.mkv"))
    truth = try MOTChallengeTruth(text: Self.figures.truth, path: "gt.txt")
  }

  private func settings(_ change: (inout VideoSequenceSettings) -> Void = { _ in }) -> VideoSequenceSettings {
    var settings = VideoSequenceSettings()
    settings.sequences = 60
    settings.shares = [0.2, 0.4, 0.4]
    settings.viewHeight = WalkingFigures.height
    settings.size = 48
    settings.firstRow = 10
    settings.foreground.ignoredRows = 20
    change(&settings)
    return settings
  }

  /// What is bright lies in the true boxes, whatever crop, mirror and scale; so truth and pixels fit together.
  @Test(arguments: [0, 0.2]) func theTruthFitsThePixels(jitter: Double) throws {
    let path = folder.path("a.h5")
    let outcome = try VideoSequenceFile(settings { $0.jitter = jitter }, video: video, truth: truth).write(to: path)
    #expect(outcome.wanted == [12, 24, 24] && outcome.found == outcome.wanted)
    let file = try SequenceFile(path: path)
    #expect(file.sequenceCount == outcome.found.reduce(0, +) && file.frameCount == 5 && file.height == 48)
    try file.verify()
    var (inside, all, objects, ignored) = (0, 0, 0, 0)
    let slots = try #require(file.objectSlots), ignoreSlots = try #require(file.ignoreSlots)
    for sequence in 0..<file.sequenceCount {
      var frames = [UInt8](repeating: 0, count: 5 * 48 * 48)
      try file.readFrames(of: sequence, first: 0, count: 5, into: &frames)
      var boxes = [Float](repeating: 0, count: 5 * slots * 4)
      try file.readBoxes(of: sequence, first: 0, count: 5, into: &boxes)
      var counts = [UInt8](repeating: 0, count: 5)
      try file.readCounts(of: sequence, first: 0, count: 5, into: &counts)
      let left = try file.readIgnored(of: sequence, first: 0, count: 5)
      objects += counts.reduce(0) { $0 + Int($1) }
      ignored += left.counts.reduce(0) { $0 + Int($1) }
      for frame in 0..<5 {
        let here =
          (0..<slots).map { Array(boxes[(frame * slots + $0) * 4..<(frame * slots + $0 + 1) * 4]) }
          + (0..<ignoreSlots).map {
            Array(left.boxes[(frame * ignoreSlots + $0) * 4..<(frame * ignoreSlots + $0 + 1) * 4])
          }
        for row in 0..<48 {
          for column in 0..<48 where frames[(frame * 48 + row) * 48 + column] > 0 {
            all += 1
            let isInside = here.contains { box in
              box[2] > 0 && abs(Float(row) + 0.5 - box[0] - box[2] / 2) < box[2] / 2 + 2
                && abs(Float(column) + 0.5 - box[1] - box[3] / 2) < box[3] / 2 + 2
            }
            if isInside { inside += 1 }
          }
        }
      }
    }
    // Figures that are less than half inside have no box.
    #expect(Double(inside) > 0.97 * Double(all), "\(inside) of \(all)")
    #expect(objects > 250 && ignored > 5, "\(objects) objects, \(ignored) ignored")
  }

  @Test func equalInputGivesEqualBytesAndTheSeedMatters() throws {
    for (name, seed) in [("a.h5", UInt64(3)), ("b.h5", 3), ("c.h5", 4)] {
      _ = try VideoSequenceFile(settings { $0.seed = seed }, video: video, truth: truth).write(to: folder.path(name))
    }
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.path(name))) }
    #expect(try bytes("a.h5") == bytes("b.h5"))
    #expect(try bytes("a.h5") != bytes("c.h5"))
  }

  /// A video that does not fit into memory is processed in parts; all of them give sequences.
  @Test func aLongVideoIsProcessedInParts() throws {
    let whole = try VideoSequenceFile(settings(), video: video, truth: truth).write(to: folder.path("whole.h5"))
    let parts = try VideoSequenceFile(
      settings(), video: video, truth: truth, segmentBytes: 30 * 2 * 120 * 160
    ).write(to: folder.path("parts.h5"))
    #expect(parts.wanted == whole.wanted)
    let file = try SequenceFile(path: folder.path("parts.h5"))
    #expect(file.sequenceCount == parts.found.reduce(0, +) && file.sequenceCount >= 50)
    try file.verify()
  }

  @Test func partsOfTheVideoAndOfTheTruthAreChosen() throws {
    let path = folder.path("a.h5")
    let outcome = try VideoSequenceFile(
      settings {
        $0.frames = .init(first: 41, last: 80)
        $0.backgroundFrames = .init(first: 1, last: 60)
        $0.maximumObjects = 1
        $0.leavesOutIgnored = true
        $0.shares = [0.5, 0.5]
      }, video: video, truth: truth
    ).write(to: path, mean: [Float](repeating: 0.25, count: 48 * 48))
    #expect(outcome.found.count == 2)
    let file = try SequenceFile(path: path)
    #expect(file.mean.allSatisfy { $0 == 0.25 } && file.objectSlots == 1)
    #expect(file.generator.contains(#""frames":{"first":41,"last":80}"#))
    #expect(file.source == "video 'street.mkv', 120 x 160 pixels")
  }

  @Test func requestsThatCannotBeMetAreRefused() throws {
    func refusal(_ change: (inout VideoSequenceSettings) -> Void) -> String {
      do {
        _ = try VideoSequenceFile(settings(change), video: video, truth: nil).write(to: folder.path("no.h5"))
        return "none"
      } catch { return "\(error)" }
    }
    #expect(refusal { $0.size = 200 }.contains("do not fit into the view of 120 x 160"))
    #expect(refusal { $0.frames = .init(first: 60, last: 120) }.contains("has 90 frames, and frames 60-120"))
    #expect(refusal { $0.length = 100 }.contains("A sequence spans 199 frames, and there are 90"))
    #expect(refusal { $0.shares = [0, 0, 0, 0, 0, 0, 0, 1] }.contains("has no crop of any requested kind"))
    #expect(refusal { $0.backgroundFrames = .init(first: 900, last: 950) }.contains("there are no frames to take"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("no.h5")))
  }

  @Test func thePreviewShowsThreeFramesOfSixStages() throws {
    let picture = try VideoSequenceFile(settings(), video: video, truth: nil).preview().picture
    #expect(picture.width > 6 * 160 && picture.height > 3 * 120)
  }
}

@Suite struct ArraySequenceFileTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// A square that moves in each of the sequences, by so many pixels in four frames, at another height in each.
  private func write(_ shape: [Int], timeFirst: Bool, speed: Int = 1, to name: String) throws -> String {
    let (first, second, side) = (shape[0], shape[1], shape[2])
    var bytes: [UInt8] = []
    for a in 0..<first {
      for b in 0..<second {
        let (sequence, time) = timeFirst ? (b, a) : (a, b)
        var frame = [UInt8](repeating: 0, count: side * side)
        for row in 0..<3 {
          for column in 0..<3 {
            frame[(sequence * 5 % (side - 3) + row) * side + (speed * time / 4 + column) % side] = 200
          }
        }
        bytes += frame
      }
    }
    return try write(bytes, [first, second, side, side], to: name)
  }

  private func write(_ bytes: [UInt8], _ shape: [Int], to name: String) throws -> String {
    let lengths = shape.map(String.init).joined(separator: ", ")
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(lengths)), }\n"
    let path = folder.path(name)
    try Data(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + bytes
    ).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func convert(
    _ path: String, axes: ArrayAxes? = nil, length: Int? = nil, sequences: Int? = nil
  ) throws -> SequenceFile {
    let out = folder.path("out.h5")
    try ArraySequenceFile(path: path, axes: axes, length: length, sequences: sequences)
      .write(to: out, overwrite: true) { _ in }
    return try SequenceFile(path: out)
  }

  @Test func bothOrdersOfAxesGiveTheSameSequences() throws {
    let timeFirst = try convert(write([6, 20, 16], timeFirst: true, to: "tnhw.npy"))
    #expect(timeFirst.sequenceCount == 20 && timeFirst.frameCount == 6 && timeFirst.height == 16)
    var a = [UInt8](repeating: 0, count: 6 * 256), b = a
    try timeFirst.readFrames(of: 7, first: 0, count: 6, into: &a)
    let other = try convert(write([20, 6, 16], timeFirst: false, to: "nthw.npy"))
    try other.readFrames(of: 7, first: 0, count: 6, into: &b)
    #expect(a == b && a.contains(200))
    #expect(try convert(folder.path("nthw.npy"), length: 4, sequences: 3).frameCount == 4)
  }

  @Test func axesThatCannotBeToldApartMustBeStated() throws {
    let square = try write([8, 8, 16], timeFirst: true, to: "square.npy")
    #expect(throws: RunError.self) { try convert(square) }
    #expect(try convert(square, axes: .timeFirst).sequenceCount == 8)
    // Few long sequences: the shorter axis is not time, and the frames show it.
    let long = try write([3, 40, 16], timeFirst: false, to: "long.npy")
    let error = #expect(throws: RunError.self) { try convert(long) }
    #expect(error?.description.contains("State the axes") == true)
    #expect(try convert(long, axes: .sequencesFirst).frameCount == 40)
    // As soon as the motion is fast, the frames of a wrong order differ as much as those of the right one.
    let fast = try write([16, 20, 16], timeFirst: false, speed: 20, to: "fast.npy")
    #expect(throws: RunError.self) { try convert(fast) }
    #expect(try convert(fast, axes: .sequencesFirst).sequenceCount == 16)
  }

  @Test func aSingleVideoWithAnAxisOfOneIsCutIntoSequences() throws {
    for (name, shape) in [("a.npy", [1, 40, 16]), ("b.npy", [40, 1, 16])] {
      let video = try write(shape, timeFirst: shape[0] > 1, to: name)
      let file = try convert(video)
      #expect(file.sequenceCount == 4 && file.frameCount == 10, "\(name)")
      #expect(try convert(video, axes: .sequencesFirst).sequenceCount == shape[0], "\(name)")
    }
  }

  @Test(arguments: [
    ([16, 16, 20], "the axes seem to be [H, W, T]"), ([20, 16, 16, 3], "as colours have"),
    ([0, 20, 16, 16], "it is empty"), ([16, 16], "where [N, T, H, W], [T, N, H, W] or [T, H, W] was expected"),
  ]) func otherAxesAreRefused(shape: [Int], problem: String) throws {
    let path = try write([UInt8](repeating: 9, count: shape.reduce(1, *)), shape, to: "other.npy")
    let error = #expect(throws: StorageError.self) { try convert(path) }
    #expect(error?.problem.contains(problem) == true, "\(String(describing: error))")
  }

  /// The file that is made says that its frames are right, so nobody looks at them later.
  @Test func framesThatWereNeverWrittenAreRefused() throws {
    let whole = try write([40, 6, 16], timeFirst: false, to: "whole.npy")
    func review(_ path: String) throws -> [String] {
      try ArraySequenceFile(path: path, axes: .sequencesFirst, length: nil, sequences: nil).review()
    }
    #expect(try review(whole) == [])
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: whole)))
    let frames = 40 * 6 * 256
    bytes.replaceSubrange(bytes.count - frames / 2..<bytes.count, with: repeatElement(0, count: frames / 2))
    let half = folder.path("half.npy")
    try Data(bytes).write(to: URL(fileURLWithPath: half))
    let error = #expect(throws: StorageError.self) { try review(half) }
    #expect(error?.problem.hasPrefix("its last 20 of 40 sequences are black") == true)
  }

  @Test func onlyLengthsThatAreThereCanBeTaken() throws {
    let path = try write([6, 20, 16], timeFirst: true, to: "a.npy")
    #expect(throws: RunError.self) { try convert(path, length: 7) }
  }
}
