import Tracking

/// An object that a model found in one crop during one window of time.
package struct Tracklet: Hashable, Sendable {
  /// Index of the crop in the grid.
  package let crop: Int
  /// Identity within the crop and the window.
  package let id: Int
  /// Boxes in pixels of the view, by frame of the window; nil where the object was not found.
  package var boxes: [TrackedBox?]

  package init(crop: Int, id: Int, boxes: [TrackedBox?]) {
    (self.crop, self.id, self.boxes) = (crop, id, boxes)
  }

  /// Mean intersection over union with other boxes in the frames that both have; nil if there are none.
  package static func overlap(_ one: [TrackedBox?], _ other: [TrackedBox?]) -> Double? {
    var (sum, count) = (0.0, 0.0)
    for (a, b) in zip(one, other) {
      guard let a, let b else { continue }
      sum += a.overlap(with: b)
      count += 1
    }
    return count > 0 ? sum / count : nil
  }
}
