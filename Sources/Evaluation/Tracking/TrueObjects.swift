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
}

extension SequenceFile {
  /// A true object in a frame.
  package struct TrueObject: Sendable {
    package let slot: Int
    package let box: TrackedBox
  }

  /// The true objects of a sequence, frame by frame, in the order of their slots. Needs boxes and ids.
  func trueObjects(of sequence: Int, frameCount: Int) throws -> [[TrueObject]] {
    let slots = objectSlots ?? 0
    var boxes = [Float](repeating: 0, count: frameCount * slots * 4)
    var ids = [Int32](repeating: -1, count: frameCount * slots)
    try readBoxes(of: sequence, first: 0, count: frameCount, into: &boxes)
    try readIds(of: sequence, first: 0, count: frameCount, into: &ids)
    return (0..<frameCount).map { frame in
      (0..<slots).compactMap { slot in
        let entry = frame * slots + slot
        guard ids[entry] >= 0 else { return nil }
        let values = boxes[4 * entry..<4 * entry + 4].map(Double.init)
        return TrueObject(
          slot: slot,
          box: TrackedBox(id: Int(ids[entry]), y: values[0], x: values[1], height: values[2], width: values[3]))
      }
    }
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
