import Tracking

/// Joins what the crops of a view found in one window of time, so that every object is there once.
///
/// 1. A box within `rim` pixels of the rim of its crop is dropped if another crop sees it with a larger margin: the
///    object may be cut there.
/// 2. Tracklets are taken in the order of their margins, the most central first. One that overlaps an object of other
///    crops by `sameOverlap` (mean intersection over union in common frames) is the same object. In each frame the box
///    of the crop with the largest margin is kept.
/// 3. Of one that is not the same, boxes are dropped that lie by more than `coveredShare` inside of, or around, the box
///    of an object that another crop sees with a larger margin: that crop has explained these pixels.
/// 4. An object is dropped unless at least `agreement` of the crops that see it whole, all frames together, have found
///    it.
package struct TrackletMerging: Sendable {
  package let grid: CropGrid
  package let rim = 3.0
  package let sameOverlap = 0.4
  package let coveredShare = 0.7
  package let agreement: Double

  package init(grid: CropGrid, agreement: Double = 0.5) { (self.grid, self.agreement) = (grid, agreement) }

  /// An object with the tracklets that are joined in it.
  private struct Object {
    /// Boxes and their margins by frame.
    var boxes: [TrackedBox?]
    var margins: [Double]
    /// The crop that sees it with the largest margin, and the boxes of every crop that has found it.
    let mainCrop: Int
    var found: [Int: [TrackedBox?]]
  }

  /// The objects of a window, as boxes by frame; identities are those of the tracklets and mean nothing.
  package func merge(_ tracklets: [Tracklet]) -> [[TrackedBox?]] {
    let seen = tracklets.map { tracklet -> (tracklet: Tracklet, margins: [Double], central: Double) in
      var kept = tracklet
      let crop = grid.crops[tracklet.crop]
      let margins = tracklet.boxes.map { $0.map { grid.margin(of: $0, in: crop) } ?? -.infinity }
      for (frame, box) in tracklet.boxes.enumerated() {
        guard let box, margins[frame] < rim, grid.anotherCropHasLargerMargin(for: box, than: crop) else { continue }
        kept.boxes[frame] = nil
      }
      let central = zip(kept.boxes, margins).lazy.filter { $0.0 != nil }.map(\.1).min() ?? -.infinity
      return (kept, margins, central)
    }.filter { $0.tracklet.boxes.contains { $0 != nil } }
    let ordered = seen.sorted { one, other in
      (-one.central, one.tracklet.crop, one.tracklet.id) < (-other.central, other.tracklet.crop, other.tracklet.id)
    }
    var objects: [Object] = []
    for (tracklet, margins, _) in ordered {
      let candidates = objects.indices.filter { objects[$0].found[tracklet.crop] == nil }
        .compactMap { index in
          Tracklet.overlap(objects[index].boxes, tracklet.boxes).map { (index: index, overlap: $0) }
        }
      if let best = candidates.max(by: { $0.overlap < $1.overlap }), best.overlap >= sameOverlap {
        add(tracklet, margins, to: &objects[best.index])
        continue
      }
      var boxes = tracklet.boxes
      for (frame, box) in boxes.enumerated() {
        guard let box, isCovered(box, frame: frame, by: objects, except: tracklet.crop) else { continue }
        boxes[frame] = nil
      }
      guard boxes.contains(where: { $0 != nil }) else { continue }
      objects.append(
        Object(boxes: boxes, margins: margins, mainCrop: tracklet.crop, found: [tracklet.crop: boxes]))
    }
    return objects.filter { agreement(on: $0) >= agreement }.map(\.boxes)
  }

  private func add(_ tracklet: Tracklet, _ margins: [Double], to object: inout Object) {
    object.found[tracklet.crop] = tracklet.boxes
    for (frame, box) in tracklet.boxes.enumerated() {
      guard let box, object.boxes[frame] == nil || margins[frame] > object.margins[frame] else { continue }
      object.boxes[frame] = box
      object.margins[frame] = margins[frame]
    }
  }

  private func isCovered(_ box: TrackedBox, frame: Int, by objects: [Object], except crop: Int) -> Bool {
    objects.contains { object in
      guard object.mainCrop != crop, let other = object.boxes[frame] else { return false }
      let smaller = min(box.area, other.area)
      return smaller > 0 && box.intersection(with: other) > coveredShare * smaller
    }
  }

  /// Of the crops that see an object whole, the share that has found it; 1 if there are none.
  private func agreement(on object: Object) -> Double {
    var (finders, seers) = (0, 0)
    for (frame, box) in object.boxes.enumerated() {
      guard let box else { continue }
      for (index, crop) in grid.crops.enumerated() where grid.margin(of: box, in: crop) >= rim {
        seers += 1
        if let found = object.found[index], found[frame] != nil { finders += 1 }
      }
    }
    return seers > 0 ? Double(finders) / Double(seers) : 1
  }
}
