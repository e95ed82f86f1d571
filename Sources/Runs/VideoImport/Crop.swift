import Storage

/// Where a sequence is cut from the view.
package struct Crop: Equatable {
  /// Index of the first frame in the video.
  let frame: Int
  /// Top row and left column in the view.
  let y: Int
  let x: Int
  /// Side in the view; scaled to `size`.
  let side: Int
  let isMirrored: Bool

  package init(frame: Int, y: Int, x: Int, side: Int, isMirrored: Bool) {
    self.frame = frame
    (self.y, self.x, self.side) = (y, x, side)
    self.isMirrored = isMirrored
  }

  func frames(_ settings: VideoSequenceSettings) -> [Int] {
    (0..<settings.length).map { frame + $0 * settings.stride }
  }

  /// The part of a box that lies in the crop.
  func share(of object: MOTChallengeTruth.Object) -> Double {
    let rows = min(object.y + object.height, Double(y + side)) - max(object.y, Double(y))
    let columns = min(object.x + object.width, Double(x + side)) - max(object.x, Double(x))
    return max(0, rows) * max(0, columns) / (object.height * object.width)
  }

  /// y, x, height, width of a box in the pixels of the sequence.
  private func box(_ object: MOTChallengeTruth.Object, size: Int) -> [Float] {
    let factor = Double(size) / Double(side)
    let left = (object.x - Double(x)) * factor
    let width = object.width * factor
    return [
      (object.y - Double(y)) * factor, isMirrored ? Double(size) - left - width : left, object.height * factor, width,
    ].map { Float($0) }
  }

  /// What the ground truth says of the crop.
  package func truth(_ truth: MOTChallengeTruth, _ settings: VideoSequenceSettings) -> CropTruth {
    var result = CropTruth()
    for frame in frames(settings) {
      var present: [CropTruth.Object] = []
      var ignored: [[Float]] = []
      for object in truth.frames[frame] ?? [] {
        let share = share(of: object)
        if object.isIgnored {
          if share > 0 { ignored.append(box(object, size: settings.size)) }
          result.largestIgnoredFraction = max(result.largestIgnoredFraction, share)
        } else if share >= settings.inside {
          if !result.identities.contains(object.identity) { result.identities.append(object.identity) }
          present.append(
            CropTruth.Object(
              slot: result.identities.firstIndex(of: object.identity)!, box: box(object, size: settings.size)))
        }
      }
      result.objects.append(present)
      result.ignored.append(ignored)
    }
    return result
  }
}

/// The ground truth of a crop, frame by frame.
package struct CropTruth {
  package struct Object {
    package let slot: Int
    package let box: [Float]
  }

  /// Identities by slot.
  package var identities: [Int32] = []
  package var objects: [[Object]] = []
  package var ignored: [[[Float]]] = []
  /// The largest part of an ignored box that is in the crop, over all frames.
  package var largestIgnoredFraction = 0.0

  var maximumObjects: Int { objects.map(\.count).max() ?? 0 }
  var maximumIgnored: Int { ignored.map(\.count).max() ?? 0 }

  /// As it is stored.
  package func stored(slots: Int, ignoreSlots: Int) -> SequenceTruth {
    let length = objects.count
    var truth = SequenceTruth(
      counts: objects.map { UInt8($0.count) }, boxes: [Float](repeating: 0, count: length * slots * 4),
      ids: [Int32](repeating: -1, count: length * slots),
      labels: (0..<slots).map { $0 < identities.count ? 0 : 255 },
      ignored: SequenceIgnored(
        counts: ignored.map { UInt8($0.count) }, boxes: [Float](repeating: 0, count: length * ignoreSlots * 4)))
    for frame in 0..<length {
      for object in objects[frame] {
        let slot = frame * slots + object.slot
        truth.ids[slot] = identities[object.slot]
        for side in 0..<4 { truth.boxes[slot * 4 + side] = object.box[side] }
      }
      for (index, box) in ignored[frame].enumerated() {
        for side in 0..<4 { truth.ignored!.boxes[(frame * ignoreSlots + index) * 4 + side] = box[side] }
      }
    }
    return truth
  }
}
