import Foundation
import Report
import Storage

/// What a sequence file holds, for `inspect` and for the commands that make one.
struct SequenceSummary {
  let file: SequenceFile

  init(_ file: SequenceFile) {
    self.file = file
  }

  /// Prints what is known once the file is open.
  func print() {
    var summary = Summary()
    summary.add("sequences", "\(file.sequenceCount)")
    summary.add("frames", "\(file.frameCount) of \(file.height) x \(file.width) pixels")
    let mean = file.mean.reduce(0.0) { $0 + Double($1) } / Double(file.mean.count)
    summary.add("mean frame", String(format: "grey %.4f on average", mean))
    summary.add("ground truth", truthText)
    summary.add("seed", file.seed.map(String.init) ?? "unknown")
    summary.add("made by", file.generator.isEmpty ? "unknown" : file.generator)
    summary.add("pixels from", file.source.isEmpty ? "unknown" : file.source)
    summary.add("identity", file.identity)
    Swift.print(summary.text(title: "\(file.path): sequence file, \(sizeText(ofFile: file.path))"), terminator: "")
    for warning in file.warnings { Swift.print("  warning: \(warning.printableLines)") }
  }

  private var truthText: String {
    let present = [
      ("counts", file.hasCounts), ("boxes", file.hasBoxes), ("identities", file.hasIds), ("classes", file.hasLabels),
      ("visible fractions", file.hasVisible), ("ink", file.inkShape != nil), ("bars", file.barCount > 0),
      ("unoccluded frames", file.hasUnoccluded), ("ignored boxes", file.ignoreSlots != nil),
    ].filter(\.1).map(\.0)
    guard !present.isEmpty else { return "none" }
    let slots = file.objectSlots.map { ", \($0) object slots" } ?? ""
    return present.joined(separator: ", ") + slots
  }

  /// Reads every byte, prints what the ground truth says, and throws if the file is not valid.
  func verify() throws {
    let progress = ProgressLine(label: "checking", total: UInt64(file.sequenceCount), unit: "sequences")
    try file.verify { done, _ in progress.update(UInt64(done)) }
    let truth = try TruthReview(file)
    if let text = truth.countText { Swift.print("  objects in a frame  \(text)") }
    guard truth.problems.isEmpty else { throw InvalidFileError(path: file.path, problems: truth.problems) }
    let parts = [
      file.hasChecksums ? "every checksum matches" : "all of it can be read; it has no checksums of its frames",
      truth.wasCompared ? "the ground truth is consistent" : nil,
    ]
    Swift.print("  valid: " + parts.compactMap { $0 }.joined(separator: ", and "))
  }
}

/// One pass over the ground truth: how many objects there are, and whether its parts agree.
private struct TruthReview {
  /// Sentences about the first disagreement of each kind.
  private(set) var problems: [String] = []
  /// Whether there were two parts to compare.
  let wasCompared: Bool
  private var frames = [Int](repeating: 0, count: 256)

  init(_ file: SequenceFile) throws {
    let slots = file.objectSlots ?? 0
    wasCompared = file.hasIds && (file.hasCounts || file.hasBoxes)
    var counts = [UInt8](repeating: 0, count: file.frameCount)
    var ids = [Int32](repeating: -1, count: file.frameCount * slots)
    var boxes = [Float](repeating: 0, count: file.frameCount * slots * 4)
    var kinds: Set<Disagreement> = []
    for sequence in 0..<file.sequenceCount {
      if file.hasCounts {
        try file.readCounts(of: sequence, first: 0, count: file.frameCount, into: &counts)
        for count in counts { frames[Int(count)] += 1 }
      }
      guard wasCompared else { continue }
      try file.readIds(of: sequence, first: 0, count: file.frameCount, into: &ids)
      if file.hasBoxes { try file.readBoxes(of: sequence, first: 0, count: file.frameCount, into: &boxes) }
      for frame in 0..<file.frameCount {
        let identities = ids[frame * slots..<(frame + 1) * slots]
        let present = identities.filter { $0 >= 0 }
        var found: [Disagreement] = []
        if file.hasCounts, present.count != Int(counts[frame]) { found.append(.count) }
        if Set(present).count != present.count { found.append(.twice) }
        let isEmpty = { (slot: Int) in !(boxes[4 * slot + 2] > 0 && boxes[4 * slot + 3] > 0) }
        if file.hasBoxes, identities.indices.contains(where: { ids[$0] >= 0 && isEmpty($0) }) { found.append(.box) }
        for kind in found where kinds.insert(kind).inserted {
          problems.append("sequence \(sequence), frame \(frame): \(kind.rawValue)")
        }
      }
    }
  }

  private enum Disagreement: String {
    case count = "/counts is not the number of identities in /ids"
    case twice = "/ids contains an identity twice"
    case box = "/ids has an object whose box in /boxes is empty"
  }

  /// "0: 34 %, 1: 33 %, 2: 33 %; 1.0 on average", or nil for a file without counts.
  var countText: String? {
    let total = frames.reduce(0, +)
    guard total > 0 else { return nil }
    let shares = frames.indices.filter { frames[$0] > 0 }.map { count in
      "\(count): \(String(format: "%.1f", 100 * Double(frames[count]) / Double(total))) %"
    }
    let mean = frames.indices.reduce(0.0) { $0 + Double($1 * frames[$1]) } / Double(total)
    return shares.joined(separator: ", ") + String(format: "; %.2f on average", mean)
  }
}
