import Foundation
import Storage

/// Small sequence files of moving blobs, for tests that train: sequence n has n mod 3 blobs of 3x3 pixels.
public enum ToySequences {
  /// Writes a file with counts, boxes and identities.
  ///
  /// - Parameters:
  ///   - hasTruth: whether the file has ground truth at all.
  ///   - marked: a sequence whose last pixel is lit in every frame, as that of no other is.
  ///   - isNoisy: whether the background is noise, which no compression makes smaller, in place of black.
  @discardableResult
  public static func write(
    to path: String, sequences: Int = 24, frames: Int = 3, height: Int = 16, width: Int = 16, seed: Int = 0,
    hasTruth: Bool = true, marked: Int? = nil, isNoisy: Bool = false
  ) throws -> String {
    let slots = 2
    let writer = try SequenceFileWriter(
      path: path,
      settings: .init(
        sequenceCount: sequences, frameCount: frames, height: height, width: width,
        objectSlots: hasTruth ? slots : nil, seed: UInt64(seed), generator: "{}", source: "toy blobs"))
    for sequence in 0..<sequences {
      let count = sequence % (slots + 1)
      var word = UInt64(sequence + 1)
      var bytes = (0..<frames * height * width).map { _ -> UInt8 in
        word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return isNoisy ? UInt8(truncatingIfNeeded: word >> 56) : 0
      }
      var boxes = [Float](repeating: 0, count: frames * slots * 4)
      var ids = [Int32](repeating: -1, count: frames * slots)
      for frame in 0..<frames {
        if sequence == marked { bytes[(frame + 1) * height * width - 1] = 255 }
        for object in 0..<count {
          // One blob in the left half, one in the right, each moving down a pixel a frame.
          let y = (7 * (sequence + seed) + 5 * object + frame) % (height - 3)
          let x = object * (width / 2) + (3 * sequence + seed) % (width / 2 - 3)
          for pixel in 0..<9 { bytes[(frame * height + y + pixel / 3) * width + x + pixel % 3] = 255 }
          let place = frame * slots + object
          ids[place] = Int32(object)
          boxes.replaceSubrange(4 * place..<4 * place + 4, with: [Float(y), Float(x), 3, 3])
        }
      }
      let truth = SequenceTruth(
        counts: [UInt8](repeating: UInt8(count), count: frames), boxes: boxes, ids: ids,
        labels: (0..<slots).map { $0 < count ? 0 : 255 })
      try writer.append(frames: bytes, truth: hasTruth ? truth : nil)
    }
    try writer.finish()
    return path
  }

  /// Flips one bit of a file, `fraction` of its length from the start.
  public static func flipBit(in path: String, at fraction: Double = 0.5) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[Int(Double(bytes.count) * fraction)] ^= 0x10
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  /// Flips a bit that spoils the fourth sequence of a file, but not its opening, which looks at the first and last.
  ///
  /// - Throws: when no such bit is found.
  public static func spoilInnerSequence(of path: String) throws {
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    for part in 1..<200 {
      try flipBit(in: path, at: Double(part) / 200)
      if let file = try? SequenceFile(path: path) {
        var bytes = [UInt8](repeating: 0, count: file.frameCount * file.height * file.width)
        do {
          try file.readFrames(of: 3, first: 0, count: file.frameCount, into: &bytes)
        } catch {
          return
        }
      }
      try sound.write(to: URL(fileURLWithPath: path))
    }
    throw ProcessRunnerError(description: "no bit of \(path) spoils its fourth sequence alone")
  }
}
