import Numerics
import Video

/// Chooses crops at random places and times, by the number of connected components in their first frame.
struct CropSelection {
  /// How often a place is tried per crop wanted.
  private static let triesPerCrop = 400
  /// Part of an ignored box in the crop from which on `leavesOutIgnored` leaves it out.
  private static let seenOfIgnored = 0.1
  /// Rows and columns along the border that count as its edge.
  private static let edge = 2

  let settings: VideoSequenceSettings
  let truth: MOTChallengeTruth?

  /// Crops of each kind that are wanted of `count`: those with 0, 1, 2, ... components.
  func wanted(_ count: Int) -> [Int] {
    let total = settings.shares.reduce(0, +)
    var (sum, before) = (0.0, 0)
    return settings.shares.map { share in
      sum += share
      let upTo = Int((Double(count) * sum / total).rounded())
      defer { before = upTo }
      return upTo - before
    }
  }

  /// Chooses crops whose first frame lies in `starts`, in an order without meaning.
  ///
  /// - Parameters:
  ///   - segment: number of the part of the video; random numbers depend on it.
  ///   - onProgress: called now and then with the number of crops chosen; what it throws ends the work.
  /// - Returns: the crops; `found` has how many there are of each kind.
  func choose(
    _ count: Int, from footage: Footage, starts: Range<Int>, segment: Int, onProgress: (_ chosen: Int) throws -> Void
  ) throws -> (crops: [Crop], found: [Int]) {
    var random = CounterRandom(seed: settings.seed, purpose: .crops).reader(UInt32(segment))
    let wanted = wanted(count)
    var found = [Int](repeating: 0, count: wanted.count)
    var crops: [Crop] = []
    var tries = 0
    while crops.count < count, tries < Self.triesPerCrop * count {
      tries += 1
      if tries % 256 == 0 { try onProgress(crops.count) }
      let stretch = settings.jitter > 0 ? random.uniform(-settings.jitter, settings.jitter) : 0
      let side = max(1, Int((Double(settings.size) * (1 + stretch)).rounded()))
      let crop = Crop(
        frame: starts.lowerBound + random.index(below: starts.count),
        y: settings.firstRow + random.index(below: footage.height - settings.firstRow - side + 1),
        x: random.index(below: footage.width - side + 1), side: side,
        isMirrored: random.uniform() < settings.mirrored)
      let kind = footage.componentCount(
        crop, frame: crop.frame, smallest: settings.foreground.smallestArea)
      guard kind < wanted.count, found[kind] < wanted[kind], edgePixels(crop, footage) <= settings.maximumEdgePixels,
        isAllowed(crop)
      else { continue }
      found[kind] += 1
      crops.append(crop)
    }
    // Scarce kinds were found last; without this they would all be at the end.
    for index in crops.indices.dropLast() { crops.swapAt(index, index + random.index(below: crops.count - index)) }
    return (crops, found)
  }

  /// Foreground pixels along the border, on average over the frames.
  private func edgePixels(_ crop: Crop, _ footage: Footage) -> Double {
    let sum = crop.frames(settings).reduce(0) { $0 + footage.edgePixels(crop, frame: $1, edge: Self.edge) }
    return Double(sum) / Double(settings.length)
  }

  /// Whether the ground truth speaks against a crop, for files that are made to measure.
  private func isAllowed(_ crop: Crop) -> Bool {
    guard let truth, settings.maximumObjects != nil || settings.leavesOutIgnored else { return true }
    let seen = crop.truth(truth, settings)
    if let most = settings.maximumObjects, seen.maximumObjects > most { return false }
    return !(settings.leavesOutIgnored && seen.largestIgnoredFraction > Self.seenOfIgnored)
  }
}
