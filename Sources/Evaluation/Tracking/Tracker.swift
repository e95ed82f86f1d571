import Cluster
import Foundation
import Report
import Runs
import Storage
import Tracking

/// Measures how well a model follows objects: the boxes of its most important particles against the true ones.
///
/// A found box is the whole of the glimpse, a true one the ink of the digit, so that even a good model's boxes are
/// somewhat looser.
struct Tracker {
  let evaluator: Evaluator
  /// Folder for the tracks, if they are to be kept.
  let folder: TrackFolder?

  /// Follows the objects in the first `sequences` sequences, all processes together.
  ///
  /// - Parameter progress: called with the number of sequences that this process has completed; its errors end the work.
  /// - Returns: the numbers of all sequences, on every process.
  func track(
    _ file: SequenceFile, sequences: Int, frameCount: Int, communicator: Communicator,
    progress: (Int) throws -> Void
  ) throws -> TrackingCounts {
    let width = TrackingCounts.Field.allCases.count
    // The numbers of each sequence, added at the end in order of sequences, whichever process computed them.
    var values = [Double](repeating: 0, count: sequences * width)
    try communicator.collectively("tracking the objects of \(file.path)") {
      var done = 0
      try evaluator.explain(
        file, sequences: sequences, frameCount: frameCount, rank: communicator.rank, size: communicator.size
      ) { _, _, explanation, _ in
        let sequence = explanation.sequence
        let frames = zip(try file.trueBoxes(of: sequence, frameCount: frameCount), explanation.frames).map {
          TrackingFrame(truth: $0, found: $1.boxes)
        }
        try folder?.write(frames, of: sequence, height: file.height, width: file.width)
        values.replaceSubrange(
          sequence * width..<(sequence + 1) * width, with: SequenceTracking(frames).counts.values)
        done += 1
        try progress(done)
      }
    }
    try communicator.sum(&values)
    var total = TrackingCounts()
    for first in stride(from: 0, to: values.count, by: width) {
      total += TrackingCounts(values: values[first..<first + width])
    }
    return total
  }
}

/// A folder of tracks as MOTChallenge has them, for other tools: `truth/NAME/gt/gt.txt` with `truth/NAME/seqinfo.ini`,
/// and `found/NAME.txt`, one NAME a sequence.
struct TrackFolder {
  let path: String

  /// Makes the folder, which must be new or empty, so that tracks of two models are never mixed.
  init(making path: String) throws {
    self.path = path
    try makeFolder(path, option: "--tracks")
    guard try FileManager.default.contentsOfDirectory(atPath: path).isEmpty else {
      throw RunError(
        "the folder '\(path)' is not empty: give a new one with --tracks, or empty it.", isEverywhere: true)
    }
    try makeFolder(path + "/found", option: "--tracks")
  }

  /// The folder that another process has made.
  init(madeAt path: String) { self.path = path }

  func write(_ frames: [TrackingFrame], of sequence: Int, height: Int, width: Int) throws {
    let name = String(format: "sequence-%06d", sequence)
    try makeFolder("\(path)/truth/\(name)/gt", option: "--tracks")
    try write(MOTChallengeText.tracks(frames.map(\.truth)), to: "truth/\(name)/gt/gt.txt")
    try write(
      MOTChallengeText.information(name: name, frames: frames.count, height: height, width: width),
      to: "truth/\(name)/seqinfo.ini")
    try write(MOTChallengeText.tracks(frames.map(\.found)), to: "found/\(name).txt")
  }

  private func write(_ text: String, to name: String) throws {
    // The folder was empty: what is there now is of somebody else.
    try OutputFile(path: path + "/" + name, mustBeNew: true).append(Array(text.utf8))
  }
}

extension TrackingCounts {
  /// The measures by name, as one object of JSON; those that divide by nothing are left out.
  func encoded() -> [String: Double] {
    let counts = Field.allCases.filter { $0 != .distance && $0 != .overlap }.map { ("\($0)", self[$0]) }
    let measures = [
      ("mota", mota), ("motp", motp), ("idf1", idf1), ("idp", idp), ("idr", idr), ("precision", precision),
      ("recall", recall), ("meanOverlap", meanOverlap),
    ]
    let named = (counts + measures).filter { $0.1.isFinite }
    return Dictionary(uniqueKeysWithValues: named.map { (Self.snakeCase($0.0), $0.1) })
  }

  private static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  /// A table for people.
  func text() -> String {
    func count(_ field: Field) -> String { String(Int(self[field])) }
    func share(_ value: Double) -> String { value.isFinite ? String(format: "%10.4f", value) : "         -" }
    return [
      "tracking        at an intersection over union of 0.5; the particle with the largest weight of each sequence",
      "  MOTA          \(share(mota))   \(count(.misses)) misses, \(count(.falsePositives)) false positives and "
        + "\(count(.switches)) identity switches over \(count(.objects)) boxes",
      "  MOTP          \(share(motp))   mean of 1 - intersection over union where found",
      "  IDF1          \(share(idf1))   precision \(share(idp).trimmed) recall \(share(idr).trimmed)",
      "  boxes found   \(share(recall))   of the true ones; \(share(precision).trimmed) of the found ones are true",
      "  mean overlap  \(share(meanOverlap))   of all true boxes, found or not",
      "  tracks        \(count(.tracks)), of which \(count(.mostlyTracked)) mostly tracked, "
        + "\(count(.partiallyTracked)) partially, \(count(.mostlyLost)) mostly lost; "
        + "\(count(.fragmentations)) fragmentations",
    ].joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
