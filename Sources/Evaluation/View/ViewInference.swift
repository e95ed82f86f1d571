import Cluster
import Models
import Numerics
import Runs
import Tracking

/// Runs a model on the crops of a view, window of time after window, all processes together.
struct ViewInference {
  let evaluator: Evaluator
  let grid: CropGrid
  /// Frames of a window.
  let length: Int
  let boxes: ObjectBoxKind
  /// Boxes with fewer rows are left out: a model keeps objects for a while that draw next to nothing.
  let smallestHeight: Double
  let communicator: Communicator

  /// A crop of a window that has something to see.
  private struct Item {
    let window: Int
    let crop: Int
  }

  /// Finds the objects of some windows.
  ///
  /// The noise of a crop depends on its place and its window, so the result does not depend on the division of the
  /// work. Crops without a pixel of at least `TrackedBox.drawnLevel` are not looked at.
  ///
  /// - Parameters:
  ///   - windows: index of each window in the video, and its frames [T, H, W].
  ///   - progress: called with the number of crops that this process has finished; an error stops the work.
  /// - Returns: on rank 0, the tracklets of each window; elsewhere nothing.
  func tracklets(_ windows: [(index: Int, frames: [UInt8])], progress: (Int) throws -> Void) throws -> [[Tracklet]] {
    let level = UInt8((TrackedBox.drawnLevel * 255).rounded(.up))
    var items: [Item] = []
    for (window, (_, frames)) in windows.enumerated() {
      for (crop, place) in grid.crops.enumerated() where pixels(of: place, frames).contains(where: { $0 >= level }) {
        items.append(Item(window: window, crop: crop))
      }
    }
    var text = ""
    try communicator.collectively("looking for objects") {
      let own =
        items.isEmpty
        ? 0..<0 : evaluator.range(of: items.count, rank: communicator.rank, size: communicator.size)
      let tape = Tape(recording: false)
      let batch = SequenceBatch()
      for first in stride(from: own.lowerBound, to: own.upperBound, by: evaluator.batch) {
        let piece = Array(items[first..<min(first + evaluator.batch, own.upperBound)])
        batch.set(
          piece.flatMap { pixels(of: grid.crops[$0.crop], windows[$0.window].frames) }, frameCount: length,
          imagePixels: grid.height * grid.width,
          sequences: piece.map { windows[$0.window].index * grid.crops.count + $0.crop })
        evaluator.explain(batch, on: tape) { _, example, explanation, tape in
          text += lines(of: explanation, piece[example], on: tape)
        }
        try progress(first + piece.count - own.lowerBound)
      }
    }
    return try tracklets(communicator.gather(text), windows: windows.count)
  }

  private func pixels(of crop: CropGrid.Crop, _ frames: [UInt8]) -> [UInt8] {
    let size = grid.viewHeight * grid.viewWidth
    return (0..<length).flatMap { grid.cut(crop, from: frames[$0 * size..<(($0 + 1) * size)]) }
  }

  /// One line for each box: window, crop, identity, frame, y, x, height, width. Numbers survive being text.
  private func lines(of explanation: Explanation, _ item: Item, on tape: Tape) -> String {
    let place = grid.crops[item.crop]
    return explanation.frames.enumerated().map { frame, found in
      evaluator.boxes(of: found, boxes, on: tape).filter { $0.height >= smallestHeight }.map { box in
        "\(item.window) \(item.crop) \(box.id) \(frame) \(box.y + Double(place.y)) \(box.x + Double(place.x)) "
          + "\(box.height) \(box.width)\n"
      }.joined()
    }.joined()
  }

  private func tracklets(_ texts: [String], windows: Int) throws -> [[Tracklet]] {
    var result = [[Tracklet]](repeating: [], count: windows)
    for line in texts.lazy.flatMap({ $0.split(separator: "\n") }) {
      let fields = line.split(separator: " ").compactMap { Double($0) }
      guard fields.count == 8 else {
        throw RunError("a process sent '\(line)' as a box. This is a bug in the program.")
      }
      let (window, crop, id, frame) = (Int(fields[0]), Int(fields[1]), Int(fields[2]), Int(fields[3]))
      if result[window].last?.crop != crop || !result[window].contains(where: { $0.crop == crop && $0.id == id }) {
        result[window].append(Tracklet(crop: crop, id: id, boxes: Array(repeating: nil, count: length)))
      }
      let index = result[window].lastIndex { $0.crop == crop && $0.id == id }!
      result[window][index].boxes[frame] = TrackedBox(
        id: id, y: fields[4], x: fields[5], height: fields[6], width: fields[7])
    }
    return result
  }
}
