/// What tracking measures are made of: numbers that add up over sequences.
///
/// The measures of several sequences are those of the sums, as in the row OVERALL of `motmetrics`.
public struct TrackingCounts: Hashable, Sendable {
  /// One of the numbers.
  public enum Field: Int, CaseIterable, Sendable {
    case frames
    /// Boxes of true objects, and of found ones, over all frames.
    case objects
    case predictions
    /// True objects with the identity that they had before or with their first one, and those with a changed one.
    case matches
    case switches
    /// True objects that were not found, and found ones that are not there.
    case misses
    case falsePositives
    /// True tracks.
    case tracks
    /// Tracks found in 80 % of their frames at least, in 20 % at least, and in fewer.
    case mostlyTracked
    case partiallyTracked
    case mostlyLost
    /// How often a track is lost that is found again later.
    case fragmentations
    /// Boxes that agree when each true track is paired with one found track for the whole sequence, at best.
    case identityTruePositives
    /// Sum of 1 less intersection over union over `matches` and `switches`.
    case distance
    /// Sum over true boxes of their intersection over union with a found box, each found box taken once, at best.
    case overlap
  }

  /// All numbers in the order of `Field`, so that processes can add them with one operation.
  public private(set) var values = [Double](repeating: 0, count: Field.allCases.count)

  /// Nothing yet.
  public init() {}

  /// Numbers in the order of `Field`.
  public init(values: some Collection<Double>) {
    precondition(values.count == Field.allCases.count, "\(values.count) values, expected \(Field.allCases.count)")
    self.values = Array(values)
  }

  public internal(set) subscript(field: Field) -> Double {
    get { values[field.rawValue] }
    set { values[field.rawValue] = newValue }
  }

  /// Adds the numbers of other sequences.
  public static func += (sum: inout TrackingCounts, more: TrackingCounts) {
    for place in sum.values.indices { sum.values[place] += more.values[place] }
  }
}

/// The measures. One is not a number where there is nothing to divide by, as in `motmetrics`.
extension TrackingCounts {
  /// Boxes of true objects that were found.
  public var detections: Double { self[.matches] + self[.switches] }
  /// Multiple object tracking accuracy: 1 less misses, false positives and switches per true box; may be negative.
  public var mota: Double {
    1 - (self[.misses] + self[.switches] + self[.falsePositives]) / self[.objects]
  }
  /// Multiple object tracking precision as `motmetrics` has it: the mean distance (1 less intersection over union) of
  /// what was found, so that 0 is best.
  public var motp: Double { self[.distance] / detections }
  /// Share of the found boxes that are true objects.
  public var precision: Double { detections / (self[.falsePositives] + detections) }
  /// Share of the true boxes that were found.
  public var recall: Double { detections / self[.objects] }
  /// Share of the found boxes, and of the true ones, that agree under the best pairing of whole tracks.
  public var idp: Double { self[.identityTruePositives] / self[.predictions] }
  public var idr: Double { self[.identityTruePositives] / self[.objects] }
  /// Harmonic mean of `idp` and `idr`.
  public var idf1: Double { 2 * self[.identityTruePositives] / (self[.objects] + self[.predictions]) }
  /// Mean intersection over union of every true box, whether enough to be counted as found or not.
  public var meanOverlap: Double { self[.overlap] / self[.objects] }
}
