import Foundation
import Numerics

/// Notices a rank that all others wait for, update after update, and names its host.
///
/// The time of whole updates is the same everywhere, because each ends when the slowest rank is done; so what counts is
/// the time before they meet. A rank that has more examples than others is expected to take longer.
package struct StragglerDetector: Sendable {
  /// Updates whose median counts; a lag has to last for two such windows.
  package static let window = 25
  /// Windows for which a rank that was named is not named again.
  private static let quietWindows = 40
  /// A rank is a straggler if it takes this much longer than the median of the others.
  private static let tolerance = 1.2

  private let hosts: [String]
  private let examples: [Double]
  /// The ranks that have examples.
  private let ranks: [Int]
  /// Of each rank, over the updates of the window so far.
  private var timings: [[RankTiming]]
  private var slowest: Int?
  private var quiet: [Int: Int] = [:]

  /// - Parameters:
  ///   - hosts: of each rank.
  ///   - examples: of each rank, in an update.
  package init(hosts: [String], examples: [Int]) {
    self.hosts = hosts
    self.examples = examples.map(Double.init)
    ranks = hosts.indices.filter { examples[$0] > 0 }
    timings = hosts.map { _ in [] }
    for rank in hosts.indices { timings[rank].reserveCapacity(Self.window) }
  }

  /// What is to be said after this update, most often nothing.
  ///
  /// - Parameter timing: of a rank, in this update.
  package mutating func observe(_ timing: (_ rank: Int) -> RankTiming) -> String? {
    guard ranks.count > 1 else { return nil }
    for rank in ranks { timings[rank].append(timing(rank)) }
    guard timings[ranks[0]].count == Self.window else { return nil }
    defer { for rank in ranks { timings[rank].removeAll(keepingCapacity: true) } }

    quiet = quiet.compactMapValues { $0 > 1 ? $0 - 1 : nil }
    let before = slowest
    slowest = slowestRank()
    guard let rank = slowest, rank == before, quiet[rank] == nil else { return nil }
    quiet[rank] = Self.quietWindows
    let own = median(of: rank, \.total), data = median(of: rank, \.data)
    let others = Quantiles(ranks.filter { $0 != rank }.map { median(of: $0, \.total) }).median
    let isWaiting = data > 0.5 * (own - others)
    return String(
      format: "rank %d on %@ is slow: it computes for %.3g s per update, the others for %.3g s and wait "
        + "for it (medians of %d updates); %.3g s of it %@. ", rank, hosts[rank], own, others, Self.window,
      isWaiting ? data : own - data, isWaiting ? "waiting for data" : "computing")
      + (isWaiting ? "Check the disk of that host." : "Check that host for other programs or a slow processor.")
      + " `sqair-dist doctor` under the same launcher compares the ranks."
  }

  /// The slowest rank, if it is much slower than the others and not only because of its examples.
  private func slowestRank() -> Int? {
    let seconds = ranks.map { median(of: $0, \.total) }
    let slowest = seconds.indices.max { seconds[$0] < seconds[$1] }!
    func isSlow(_ values: [Double]) -> Bool {
      let others = values.indices.filter { $0 != slowest }.map { values[$0] }
      return values[slowest] > Self.tolerance * Quantiles(others).median
    }
    let perExample = zip(seconds, ranks).map { $0 / examples[$1] }
    return isSlow(seconds) && isSlow(perExample) ? ranks[slowest] : nil
  }

  private func median(of rank: Int, _ seconds: KeyPath<RankTiming, Double>) -> Double {
    Quantiles(timings[rank].map { $0[keyPath: seconds] }).median
  }
}
