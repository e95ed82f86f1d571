/// Counts from which tracking measures follow. They add up over sequences.
///
/// The measures of several sequences are those of the sums, as in the row OVERALL of `motmetrics`.
public struct TrackingCounts: Hashable, Sendable {
  /// One of the counts.
  public enum Field: Int, CaseIterable, Sendable {
    case frames
    /// Boxes of true objects, and of found ones, over all frames.
    case objects
    case predictions
    /// True objects with the same identity as before, or with their first one; and those with a different one.
    case matches
    case switches
    /// True objects that were not found, and found ones that do not exist.
    case misses
    case falsePositives
    /// True tracks.
    case tracks
    /// Tracks found in at least 80 % of their frames, in at least 20 %, and in fewer.
    case mostlyTracked
    case partiallyTracked
    case mostlyLost
    /// Interruptions of tracks that are found again later.
    case fragmentations
    /// Boxes that agree under the best assignment of true tracks to found tracks over the whole sequence.
    case identityTruePositives
    /// Sum of 1 - intersection over union over `matches` and `switches`.
    case distance
    /// Sum over true boxes of their intersection over union with a found box, under the best assignment.
    case overlap
  }

  /// All counts in the order of `Field`, so that processes can add them with one operation.
  public private(set) var values = [Double](repeating: 0, count: Field.allCases.count)

  /// All counts are 0.
  public init() {}

  /// Counts in the order of `Field`.
  public init(values: some Collection<Double>) {
    precondition(values.count == Field.allCases.count, "\(values.count) values, expected \(Field.allCases.count)")
    self.values = Array(values)
  }

  public internal(set) subscript(field: Field) -> Double {
    get { values[field.rawValue] }
    set { values[field.rawValue] = newValue }
  }

  /// Adds the counts of other sequences.
  public static func += (sum: inout TrackingCounts, more: TrackingCounts) {
    for index in sum.values.indices { sum.values[index] += more.values[index] }
  }
}

/// The measures. A ratio without cases is not a number, as in `motmetrics`.
extension TrackingCounts {
  /// Boxes of true objects that were found.
  public var detections: Double { self[.matches] + self[.switches] }
  /// Multiple object tracking accuracy: 1 - (misses + false positives + switches) per true box; may be negative.
  public var mota: Double {
    1 - (self[.misses] + self[.switches] + self[.falsePositives]) / self[.objects]
  }
  /// Multiple object tracking precision as in `motmetrics`: the mean distance (1 - intersection over union) of matched
  /// boxes, so that 0 is best.
  public var motp: Double { self[.distance] / detections }
  /// Share of the found boxes that are true objects.
  public var precision: Double { detections / (self[.falsePositives] + detections) }
  /// Share of the true boxes that were found.
  public var recall: Double { detections / self[.objects] }
  /// Share of the found boxes, and of the true ones, that agree under the best assignment of whole tracks.
  public var idp: Double { self[.identityTruePositives] / self[.predictions] }
  public var idr: Double { self[.identityTruePositives] / self[.objects] }
  /// Harmonic mean of `idp` and `idr`.
  public var idf1: Double { 2 * self[.identityTruePositives] / (self[.objects] + self[.predictions]) }
  /// Mean intersection over union of all true boxes, matched or not.
  public var meanOverlap: Double { self[.overlap] / self[.objects] }
}
