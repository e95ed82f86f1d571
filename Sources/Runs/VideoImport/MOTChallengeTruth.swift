import Foundation

/// The ground truth of a video as MOTChallenge writes it: a line for each object in a frame.
///
/// `frame, identity, left, top, width, height, flag, ...` with frames and pixels counted from 1. Objects whose flag is 0
/// are to be ignored: they need not be found, and may be. Lines without a flag count.
public struct MOTChallengeTruth: Sendable {
  /// One object in one frame, in pixels counted from 0.
  package struct Object: Sendable, Equatable {
    package let identity: Int32
    package var y: Double
    package var x: Double
    package var height: Double
    package var width: Double
    package let isIgnored: Bool

    package init(identity: Int32, y: Double, x: Double, height: Double, width: Double, isIgnored: Bool) {
      self.identity = identity
      (self.y, self.x, self.height, self.width) = (y, x, height, width)
      self.isIgnored = isIgnored
    }
  }

  /// Objects by index of the frame, in the order of the file.
  package private(set) var frames: [Int: [Object]] = [:]

  /// Lines beyond this size are not read: no ground truth is that large.
  private static let largestFile = 1 << 30
  private static let largestLength = 1e6

  public init(path: String) throws {
    let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    guard let size, size <= Self.largestFile, let data = FileManager.default.contents(atPath: path) else {
      throw RunError("'\(path)' cannot be read as ground truth. Check that it is there, and its permissions.")
    }
    try self.init(text: String(decoding: data, as: UTF8.self), path: path)
  }

  package init(text: String, path: String) throws {
    var seen: Set<Int64> = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      if fields == [""] { continue }
      func refusal(_ problem: String) -> RunError {
        RunError(
          "'\(path)', line \(index + 1): \(problem). A line of ground truth is "
            + "frame,identity,left,top,width,height,flag (MOTChallenge); correct it or remove it.")
      }
      guard fields.count >= 6 else { throw refusal("it has \(fields.count) fields where at least 6 were expected") }
      let numbers = try fields.prefix(7).enumerated().map { position, field in
        guard let value = Double(field), abs(value) <= Self.largestLength else {
          throw refusal("field \(position + 1) is '\(field.prefix(20))', not a number of reasonable size")
        }
        return value
      }
      guard numbers[0] >= 1, numbers[0] == numbers[0].rounded() else {
        throw refusal("the frame is \(fields[0]), but frames are counted from 1")
      }
      guard numbers[1] >= 0, numbers[1] == numbers[1].rounded() else {
        throw refusal("the identity is \(fields[1]): these are detections, or identities are missing")
      }
      guard numbers[4] > 0, numbers[5] > 0 else {
        throw refusal("the box is \(fields[4]) wide and \(fields[5]) tall")
      }
      guard seen.insert(Int64(numbers[0]) << 32 | Int64(numbers[1])).inserted else {
        throw refusal("object \(fields[1]) is in frame \(fields[0]) twice")
      }
      frames[Int(numbers[0]) - 1, default: []].append(
        Object(
          identity: Int32(numbers[1]), y: numbers[3] - 1, x: numbers[2] - 1, height: numbers[5], width: numbers[4],
          isIgnored: numbers.count > 6 && numbers[6] == 0))
    }
    guard !frames.isEmpty else {
      throw RunError("'\(path)' has no line of ground truth. Check that it is the right file.")
    }
  }

  /// The same in pixels of a view that is smaller or larger by these factors.
  package func scaled(vertically: Double, horizontally: Double) -> MOTChallengeTruth {
    var result = self
    result.frames = frames.mapValues { objects in
      objects.map { object in
        var object = object
        (object.y, object.height) = (object.y * vertically, object.height * vertically)
        (object.x, object.width) = (object.x * horizontally, object.width * horizontally)
        return object
      }
    }
    return result
  }
}
