import Storage
import Tracking

/// The truth about the objects of one sequence.
struct SequenceTruthBoxes {
  /// The true boxes of each frame.
  let objects: [[TrackedBox]]
  /// The boxes of each frame whose objects may be found or not.
  let ignored: [[TrackedBox]]

  /// A frame with the boxes that were found in it.
  func frame(_ index: Int, found: [TrackedBox]) -> TrackingFrame {
    TrackingFrame(truth: objects[index], found: found, ignored: ignored[index])
  }
}

extension SequenceSet {
  /// True boxes and those to ignore of a sequence. Needs boxes and ids.
  func truthBoxes(of sequence: Int, frameCount: Int) throws -> SequenceTruthBoxes {
    let (file, own) = try locate(sequence)
    return SequenceTruthBoxes(
      objects: try trueBoxes(of: sequence, frameCount: frameCount),
      ignored: try file.ignoredBoxes(of: own, frameCount: frameCount))
  }

  /// The true boxes of a sequence, frame by frame, in the order of their slots. Needs boxes and ids.
  func trueBoxes(of sequence: Int, frameCount: Int) throws -> [[TrackedBox]] {
    let (file, own) = try locate(sequence)
    return try file.trueObjects(of: own, frameCount: frameCount).map { $0.map(\.box) }
  }

  /// The centres of the true boxes of a sequence, [objects][frames] in the order of identities; nil where an object is
  /// absent. Needs boxes and ids.
  func trueCenters(of sequence: Int, frameCount: Int) throws -> [[Point?]] {
    let frames = try trueBoxes(of: sequence, frameCount: frameCount)
    return Set(frames.joined().map(\.id)).sorted().map { id in
      frames.map { boxes in
        boxes.first { $0.id == id }.map { Point(y: $0.y + $0.height / 2, x: $0.x + $0.width / 2) }
      }
    }
  }
}

extension SequenceFile {
  /// A true object in a frame.
  package struct TrueObject: Sendable {
    package let slot: Int
    package let box: TrackedBox
  }

  /// The true objects of a sequence, frame by frame, in the order of their slots. Needs boxes and ids.
  ///
  /// - Throws: `StorageError` also where identities, boxes and counts contradict each other: measures would be wrong.
  func trueObjects(of sequence: Int, frameCount: Int) throws -> [[TrueObject]] {
    let slots = objectSlots ?? 0
    var boxes = [Float](repeating: 0, count: frameCount * slots * 4)
    var ids = [Int32](repeating: -1, count: frameCount * slots)
    try readBoxes(of: sequence, first: 0, count: frameCount, into: &boxes)
    try readIds(of: sequence, first: 0, count: frameCount, into: &ids)
    let objects: [[TrueObject]] = try (0..<frameCount).map { frame in
      var identities: Set<Int32> = []
      return try (0..<slots).compactMap { slot -> TrueObject? in
        let entry = frame * slots + slot
        guard ids[entry] >= 0 else { return nil }
        guard identities.insert(ids[entry]).inserted else {
          throw StorageError(
            file: path, part: "/ids",
            problem: "sequence \(sequence), frame \(frame): identity \(ids[entry]) is there twice",
            hint: "Objects of a frame have different identities, and keep them from frame to frame; correct it.")
        }
        let values = boxes[4 * entry..<4 * entry + 4].map(Double.init)
        guard values[2] > 0, values[3] > 0 else {
          throw StorageError(
            file: path, part: "/boxes",
            problem: "sequence \(sequence), frame \(frame): the box of identity \(ids[entry]) is empty",
            hint: "Boxes are y, x, height, width in pixels. Correct it, or set the identity in /ids to -1.")
        }
        return TrueObject(
          slot: slot,
          box: TrackedBox(id: Int(ids[entry]), y: values[0], x: values[1], height: values[2], width: values[3]))
      }
    }
    if hasCounts { try requireCounts(of: sequence, objects.map(\.count)) }
    return objects
  }

  /// Makes sure that the counts of a sequence are the numbers of its identities.
  private func requireCounts(of sequence: Int, _ present: [Int]) throws {
    var counts = [UInt8](repeating: 0, count: present.count)
    try readCounts(of: sequence, first: 0, count: present.count, into: &counts)
    guard let frame = present.indices.first(where: { Int(counts[$0]) != present[$0] }) else { return }
    throw StorageError(
      file: path, part: "/counts",
      problem:
        "sequence \(sequence), frame \(frame): it is \(counts[frame]), but /ids has \(present[frame]) identities",
      hint: "Correct the one or the other; an identity of -1 stands for no object.")
  }

  /// The boxes of a sequence whose objects may be found or not, frame by frame; none in a file without such boxes.
  func ignoredBoxes(of sequence: Int, frameCount: Int) throws -> [[TrackedBox]] {
    guard let slots = ignoreSlots else { return Array(repeating: [], count: frameCount) }
    let stored = try readIgnored(of: sequence, first: 0, count: frameCount)
    return (0..<frameCount).map { frame in
      (0..<Int(stored.counts[frame])).map { index in
        let start = (frame * slots + index) * 4
        let values = stored.boxes[start..<start + 4].map(Double.init)
        return TrackedBox(id: index, y: values[0], x: values[1], height: values[2], width: values[3])
      }
    }
  }
}
