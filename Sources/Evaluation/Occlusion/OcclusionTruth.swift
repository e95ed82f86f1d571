import Storage
import Tracking

/// The truth about one sequence with occluded objects.
package struct OcclusionTruth {
  /// [T] frames without bars, [H W] in [0, 1].
  package let scenes: [[Float]]
  /// [T] the objects on the canvas, with their slots.
  package let objects: [[SequenceFile.TrueObject]]
  private let height: Int
  private let width: Int
  private let slots: Int
  /// [T, M].
  private let visible: [Float]
  /// [M, h, w].
  private let ink: [UInt8]
  private let inkShape: (height: Int, width: Int)
  private let bars: [TrackedBox]

  /// Reads the first `frameCount` frames of a sequence.
  package init(_ set: SequenceSet, sequence: Int, frameCount: Int) throws {
    let (file, sequence) = try set.locate(sequence)
    (height, width) = (file.height, file.width)
    slots = file.objectSlots ?? 0
    objects = try file.trueObjects(of: sequence, frameCount: frameCount)
    var visible = [Float](repeating: 0, count: frameCount * slots)
    try file.readVisible(of: sequence, first: 0, count: frameCount, into: &visible)
    self.visible = visible
    inkShape = file.inkShape ?? (0, 0)
    var ink = [UInt8](repeating: 0, count: slots * inkShape.height * inkShape.width)
    try file.readInk(of: sequence, into: &ink)
    self.ink = ink
    var bars = [Float](repeating: 0, count: file.barCount * 4)
    if file.barCount > 0 { try file.readBars(of: sequence, into: &bars) }
    self.bars = stride(from: 0, to: bars.count, by: 4).map { start in
      let values = bars[start..<start + 4].map(Double.init)
      return TrackedBox(id: start / 4, y: values[0], x: values[1], height: values[2], width: values[3])
    }
    let pixels = height * width
    var bytes = [UInt8](repeating: 0, count: frameCount * pixels)
    if file.hasUnoccluded {
      try file.readUnoccluded(of: sequence, first: 0, count: frameCount, into: &bytes)
    } else {
      try file.readFrames(of: sequence, first: 0, count: frameCount, into: &bytes)
    }
    scenes = (0..<frameCount).map { frame in
      bytes[frame * pixels..<(frame + 1) * pixels].map { Float($0) * (1 / 255) }
    }
  }

  /// The share of an object that is visible in a frame, 0 to 1.
  func visibleShare(frame: Int, slot: Int) -> Double { Double(visible[frame * slots + slot]) }

  /// The picture of one object without the others, [H W] in [0, 1].
  package func image(of object: SequenceFile.TrueObject) -> [Float] {
    var image = [Float](repeating: 0, count: height * width)
    let (top, left) = (Int(object.box.y), Int(object.box.x))
    for row in 0..<inkShape.height where (0..<height).contains(top + row) {
      let start = (object.slot * inkShape.height + row) * inkShape.width
      for column in 0..<inkShape.width where (0..<width).contains(left + column) {
        image[(top + row) * width + left + column] = Float(ink[start + column]) * (1 / 255)
      }
    }
    return image
  }

  /// The pixels behind a bar and inside the box of an object.
  func hiddenPixels(frame: Int) -> [Int] {
    guard !bars.isEmpty else { return [] }
    let boxes = objects[frame].map(\.box)
    return (0..<height * width).filter { pixel in
      let square = TrackedBox(id: 0, y: Double(pixel / width), x: Double(pixel % width), height: 1, width: 1)
      func covers(_ box: TrackedBox) -> Bool { box.intersection(with: square) > 0 }
      return bars.contains(where: covers) && boxes.contains(where: covers)
    }
  }

  /// The largest overlap coefficient with another object.
  func overlap(of index: Int, frame: Int) -> Double {
    let own = objects[frame][index].box
    let others = objects[frame].indices.filter { $0 != index }
    return others.map { own.overlapCoefficient(with: objects[frame][$0].box) }.max() ?? 0
  }
}
