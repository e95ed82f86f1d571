extension TrackingFrame {
  /// Number of found objects without those that are ignored: what is compared with the number of true ones.
  ///
  /// A found box that overlaps an ignored one by at least `minimumOverlap` and matches no true one under the best
  /// assignment is not counted.
  public func foundCount(minimumOverlap: Double = 0.5) -> Int {
    guard !ignored.isEmpty else { return found.count }
    var matcher = TrackMatcher(minimumOverlap: minimumOverlap)
    let matches = matcher.match(self)
    return withoutIgnored(matched: Set(matches.map(\.found)), minimumOverlap: minimumOverlap).found.count
  }
}
