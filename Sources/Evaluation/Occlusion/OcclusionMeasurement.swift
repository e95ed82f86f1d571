import Tracking

/// Compares the output of a model with the truth of one sequence with occluded objects.
package struct OcclusionMeasurement {
  let truth: OcclusionTruth
  /// Smallest intersection over union of a found box and a true one that are the same object.
  let minimumOverlap: Double

  /// The output of a model for one frame.
  package struct FrameOutput {
    /// The whole picture, [H W].
    package var picture: [Float]
    /// The boxes to compare with the true ones; an object that draws nothing may have none.
    package var boxes: [TrackedBox]
    /// The picture of each object without the others, [H W] each.
    package var objects: [[Float]]
    /// The identities of all present objects, with and without a box.
    package var identities: Set<Int>

    package init(picture: [Float], boxes: [TrackedBox], objects: [[Float]], identities: Set<Int>) {
      (self.picture, self.boxes, self.objects, self.identities) = (picture, boxes, objects, identities)
    }
  }

  package init(truth: OcclusionTruth, minimumOverlap: Double) {
    (self.truth, self.minimumOverlap) = (truth, minimumOverlap)
  }

  /// The sums of a sequence.
  ///
  /// - Parameter outputs: one per frame.
  package func measure(_ outputs: [FrameOutput]) -> OcclusionSums {
    let tracking = SequenceTracking(
      zip(truth.objects, outputs).map { TrackingFrame(truth: $0.map(\.box), found: $1.boxes) },
      minimumOverlap: minimumOverlap)
    var sums = OcclusionSums()
    for (frame, output) in outputs.enumerated() {
      addPicture(output, frame, to: &sums)
      addObjects(output, frame, to: &sums)
      let found = Set(tracking.matches[frame].map(\.truth))
      for (index, object) in truth.objects[frame].enumerated() {
        let part = RatioClass.index(of: truth.visibleShare(frame: frame, slot: object.slot))
        sums[.present, part] += 1
        if found.contains(index) { sums[.found, part] += 1 }
      }
      let overlap = truth.objects[frame].indices.map { truth.overlap(of: $0, frame: frame) }.max() ?? 0
      let part = RatioClass.index(of: overlap)
      sums[.frames, part] += 1
      if output.objects.count == truth.objects[frame].count { sums[.countedCorrectly, part] += 1 }
    }
    addIdentities(outputs, tracking.matches, to: &sums)
    addKept(outputs, tracking.matches, to: &sums)
    return sums
  }

  private func addPicture(_ output: FrameOutput, _ frame: Int, to sums: inout OcclusionSums) {
    let scene = truth.scenes[frame]
    func error(_ pixel: Int) -> Double { square(Double(output.picture[pixel] - scene[pixel])) }
    for pixel in scene.indices {
      sums[.sceneError] += error(pixel)
      sums[.sceneInk] += square(Double(scene[pixel]))
    }
    sums[.scenePixels] += Double(scene.count)
    for pixel in truth.hiddenPixels(frame: frame) {
      sums[.hiddenError] += error(pixel)
      sums[.hiddenInk] += square(Double(scene[pixel]))
      sums[.hiddenPixels] += 1
    }
  }

  /// Compares each true object with the closest drawn one; or with nothing, where no drawn object is closer than that.
  private func addObjects(_ output: FrameOutput, _ frame: Int, to sums: inout OcclusionSums) {
    let images = truth.objects[frame].map { truth.image(of: $0) }
    let inks = images.map { $0.reduce(0) { $0 + square(Double($1)) } }
    let errors = images.map { image in
      output.objects.map { drawn in zip(image, drawn).reduce(0) { $0 + square(Double($1.0 - $1.1)) } }
    }
    let pairing = LinearAssignment(rows: images.count, columns: output.objects.count) { object, drawn in
      errors[object][drawn] < inks[object] ? errors[object][drawn] - inks[object] : .infinity
    }
    for (index, drawn) in pairing.columns.enumerated() {
      let part = RatioClass.index(of: truth.overlap(of: index, frame: frame))
      sums[.objectError, part] += drawn.map { errors[index][$0] } ?? inks[index]
      sums[.objectInk, part] += inks[index]
      sums[.objects, part] += 1
    }
  }

  /// Counts pairs of objects that are apart, then overlap, then are apart again.
  private func addIdentities(_ outputs: [FrameOutput], _ matches: [[TrackMatcher.Match]], to sums: inout OcclusionSums)
  {
    let slots = Set(truth.objects.joined().map(\.slot)).sorted()
    /// The identity that the model gives an object in a frame; nil where it was not found.
    func identity(_ slot: Int, _ frame: Int) -> Int? {
      guard let index = truth.objects[frame].firstIndex(where: { $0.slot == slot }) else { return nil }
      return matches[frame].first { $0.truth == index }.map { outputs[frame].boxes[$0.found].id }
    }
    for (number, one) in slots.enumerated() {
      for other in slots[(number + 1)...] {
        let overlaps = truth.objects.indices.filter { frame in
          guard let a = truth.objects[frame].first(where: { $0.slot == one }),
            let b = truth.objects[frame].first(where: { $0.slot == other })
          else { return false }
          return a.box.intersection(with: b.box) > 0
        }
        guard let first = overlaps.first, let last = overlaps.last, first > 0, last < outputs.count - 1 else {
          continue
        }
        sums[.pairs] += 1
        let before = [one, other].compactMap { slot in
          (0..<first).reversed().lazy.compactMap { identity(slot, $0) }.first
        }
        let after = [one, other].compactMap { slot in
          (last + 1..<outputs.count).lazy.compactMap { identity(slot, $0) }.first
        }
        guard before.count == 2, after.count == 2 else { continue }
        sums[.pairsFound] += 1
        if before == after { sums[.pairsKept] += 1 }
      }
    }
  }

  /// Counts objects that were found before, and those of them whose identity is still there, wherever its box is: where
  /// an object cannot be seen, its place can only be guessed. Of objects of which at most a quarter was visible, and
  /// now more than half is, counts those that are found with the identity that they had.
  private func addKept(_ outputs: [FrameOutput], _ matches: [[TrackMatcher.Match]], to sums: inout OcclusionSums) {
    /// The identity with which the object of a slot was last found, and the last one while it was visible.
    var lastIdentities: [Int: Int] = [:]
    var visibleIdentities: [Int: Int] = [:]
    /// The smallest visible share, as a class, since the object of a slot became hidden.
    var hidden: [Int: Int] = [:]
    for (frame, output) in outputs.enumerated() {
      let found = Dictionary(
        uniqueKeysWithValues: matches[frame].map {
          (truth.objects[frame][$0.truth].slot, output.boxes[$0.found].id)
        })
      for object in truth.objects[frame] {
        let part = RatioClass.index(of: truth.visibleShare(frame: frame, slot: object.slot))
        let isVisible = part >= 3
        if let identity = lastIdentities[object.slot] {
          sums[.foundBefore, part] += 1
          if output.identities.contains(identity) { sums[.keptSinceFound, part] += 1 }
        }
        if part <= 1 { hidden[object.slot] = min(part, hidden[object.slot] ?? 1) }
        if isVisible, let least = hidden.removeValue(forKey: object.slot),
          let identity = visibleIdentities[object.slot]
        {
          sums[.reappeared, least] += 1
          if found[object.slot] == identity { sums[.recognized, least] += 1 }
        }
        if let identity = found[object.slot] {
          lastIdentities[object.slot] = identity
          if isVisible { visibleIdentities[object.slot] = identity }
        }
      }
    }
  }

  private func square(_ value: Double) -> Double { value * value }
}
