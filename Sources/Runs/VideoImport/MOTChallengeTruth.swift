import Foundation

/// The ground truth of a video as MOTChallenge writes it: a line for each object in a frame.
///
/// `frame, identity, left, top, width, height, flag, ...` with frames and pixels counted from 1. Objects whose flag is
/// 0 are to be ignored: they need not be found, and may be. Lines without a flag count.
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

  private let path: String
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
    self.path = path
    // Editors of Windows begin a file with a byte order mark.
    let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
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

  /// What speaks against this being the truth of a video; nil if nothing does.
  ///
  /// - Parameters:
  ///   - used: indices of the frames that are used; nil for all.
  ///   - height: rows of the video's frames.
  ///   - width: columns of them.
  public func warning(of used: Range<Int>?, height: Int, width: Int) -> String? {
    let objects = frames.filter { used?.contains($0.key) ?? true }.values.joined()
    guard let (first, last) = frames.keys.min().flatMap({ first in frames.keys.max().map { (first, $0) } }) else {
      return nil
    }
    guard !objects.isEmpty else {
      return "'\(path)' has no box in the frames that are used; its frames are \(first + 1) to \(last + 1)"
    }
    let outside = objects.count { object in
      let rows = min(object.y + object.height, Double(height)) - max(object.y, 0)
      let columns = min(object.x + object.width, Double(width)) - max(object.x, 0)
      return rows <= 0 || columns <= 0 || rows * columns < object.height * object.width / 2
    }
    guard 2 * outside > objects.count else {
      // Of a video whose objects leave it early the truth ends before it, too.
      guard let used, used.upperBound - 1 - last > max(10, used.count / 4) else { return nil }
      return
        "the last frame of '\(path)' is \(last + 1), and frames up to \(used.upperBound) are used: those without a line "
        + "are taken to have no objects"
    }
    return
      "most boxes of '\(path)' are outside the \(height) x \(width) pixels of the video: are they those of a video "
      + "of another size?"
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
