import Runs
import Tracking

/// Measures a model on one sequence in which objects are occluded.
package struct OcclusionMeasurement {
  let truth: OcclusionTruth
  /// Intersection over union that a found box must have with a true one to be the same object.
  let minimumOverlap: Double

  /// What a model says about one frame.
  package struct Answer {
    /// The whole picture, [H W].
    package var picture: [Float]
    package var boxes: [TrackedBox]
    /// What each object would look like alone, [H W] each, in the order of the boxes.
    package var objects: [[Float]]

    package init(picture: [Float], boxes: [TrackedBox], objects: [[Float]]) {
      (self.picture, self.boxes, self.objects) = (picture, boxes, objects)
    }
  }

  package init(truth: OcclusionTruth, minimumOverlap: Double) {
    (self.truth, self.minimumOverlap) = (truth, minimumOverlap)
  }

  /// The numbers of a sequence, from one answer a frame.
  package func measure(_ answers: [Answer]) -> OcclusionSums {
    let tracking = SequenceTracking(
      zip(truth.objects, answers).map { TrackingFrame(truth: $0.map(\.box), found: $1.boxes) },
      minimumOverlap: minimumOverlap)
    var sums = OcclusionSums()
    for (frame, answer) in answers.enumerated() {
      addPicture(answer, frame, to: &sums)
      addObjects(answer, frame, to: &sums)
      let found = Set(tracking.matches[frame].map(\.truth))
      for (place, object) in truth.objects[frame].enumerated() {
        let part = OcclusionSums.classOf(truth.visibleShare(frame: frame, slot: object.slot))
        sums[.present, part] += 1
        if found.contains(place) { sums[.found, part] += 1 }
      }
      let overlap = truth.objects[frame].indices.map { truth.overlap(of: $0, frame: frame) }.max() ?? 0
      let part = OcclusionSums.classOf(overlap)
      sums[.frames, part] += 1
      if answer.boxes.count == truth.objects[frame].count { sums[.countedRight, part] += 1 }
    }
    addIdentities(answers, tracking.matches, to: &sums)
    return sums
  }

  private func addPicture(_ answer: Answer, _ frame: Int, to sums: inout OcclusionSums) {
    let scene = truth.scenes[frame]
    func error(_ pixel: Int) -> Double { square(Double(answer.picture[pixel] - scene[pixel])) }
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

  /// Each true object against the drawn one that is most like it; where none is better than nothing, against nothing.
  private func addObjects(_ answer: Answer, _ frame: Int, to sums: inout OcclusionSums) {
    let images = truth.objects[frame].map { truth.image(of: $0) }
    let inks = images.map { $0.reduce(0) { $0 + square(Double($1)) } }
    let errors = images.map { image in
      answer.objects.map { drawn in zip(image, drawn).reduce(0) { $0 + square(Double($1.0 - $1.1)) } }
    }
    let pairing = LinearAssignment(rows: images.count, columns: answer.objects.count) { object, drawn in
      errors[object][drawn] < inks[object] ? errors[object][drawn] - inks[object] : .infinity
    }
    for (place, drawn) in pairing.columns.enumerated() {
      let part = OcclusionSums.classOf(truth.overlap(of: place, frame: frame))
      sums[.objectError, part] += drawn.map { errors[place][$0] } ?? inks[place]
      sums[.objectInk, part] += inks[place]
      sums[.objects, part] += 1
    }
  }

  /// Pairs of objects that are apart, then overlap, then are apart again.
  private func addIdentities(_ answers: [Answer], _ matches: [[TrackMatcher.Match]], to sums: inout OcclusionSums) {
    let slots = Set(truth.objects.joined().map(\.slot)).sorted()
    /// What an object is called in a frame; nil where it was not found.
    func name(_ slot: Int, _ frame: Int) -> Int? {
      guard let place = truth.objects[frame].firstIndex(where: { $0.slot == slot }) else { return nil }
      return matches[frame].first { $0.truth == place }.map { answers[frame].boxes[$0.found].id }
    }
    for (number, one) in slots.enumerated() {
      for other in slots[(number + 1)...] {
        let meetings = truth.objects.indices.filter { frame in
          guard let a = truth.objects[frame].first(where: { $0.slot == one }),
            let b = truth.objects[frame].first(where: { $0.slot == other })
          else { return false }
          return a.box.intersection(with: b.box) > 0
        }
        guard let first = meetings.first, let last = meetings.last, first > 0, last < answers.count - 1 else {
          continue
        }
        sums[.pairs] += 1
        let before = [one, other].compactMap { slot in (0..<first).reversed().lazy.compactMap { name(slot, $0) }.first }
        let after = [one, other].compactMap { slot in
          (last + 1..<answers.count).lazy.compactMap { name(slot, $0) }.first
        }
        guard before.count == 2, after.count == 2 else { continue }
        sums[.pairsFound] += 1
        if before == after { sums[.pairsKept] += 1 }
      }
    }
  }

  private func square(_ value: Double) -> Double { value * value }
}
