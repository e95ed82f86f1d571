import Foundation
import Storage
import TestSupport
import Testing

/// Damage of every kind to every part of a file: the values that are read are those that were written, or the file is
/// refused by name. `SQAIR_DIST_DAMAGE_CASES=20000` tries that many bits in place of 1,000, and prints what came of
/// them.
@Suite("Damaged files")
struct DamageTests {
  enum Kind: String, CaseIterable {
    case checkpoint, sequences

    /// Writes a valid file whose numbers take about as much room as what HDF5 puts around them.
    func write(to path: String) throws {
      switch self {
      case .checkpoint:
        let weights = NamedArray(
          name: "enc.w", shape: [40, 50], values: (0..<2_000).map { Float($0 % 97) / 97 - 0.5 })
        var checkpoint = Samples.checkpoint()
        checkpoint = Checkpoint(
          step: checkpoint.step, model: checkpoint.model, seed: checkpoint.seed,
          configuration: checkpoint.configuration, data: checkpoint.data, software: checkpoint.software,
          parameters: checkpoint.parameters + [weights], optimizer: checkpoint.optimizer)
        try Samples.write(try checkpoint.encoded(as: path), path)
      case .sequences:
        try ToySequences.write(to: path, sequences: 12, isNoisy: true)
      }
    }

    /// All that a reader of the file is given.
    func read(_ path: String) throws -> Contents {
      switch self {
      case .checkpoint: .checkpoint(try Checkpoint(reading: path))
      case .sequences: .sequences(try SequenceContents(path))
      }
    }
  }

  enum Contents: Equatable {
    case checkpoint(Checkpoint)
    case sequences(SequenceContents)
  }

  /// Everything that the reader of a sequence file hands out.
  struct SequenceContents: Equatable {
    var mean: [Float]
    var texts: [String]
    var bytes: [UInt8] = []
    var boxes: [Float] = []
    var ids: [Int32] = []

    init(_ path: String) throws {
      let file = try SequenceFile(path: path)
      try file.verify()
      mean = file.mean
      texts = [file.identity, file.generator, file.source, "\(file.seed ?? 0)", "\(file.objectSlots ?? 0)"]
      let slots = file.objectSlots ?? 0
      for sequence in 0..<file.sequenceCount {
        var frames = [UInt8](repeating: 0, count: file.frameCount * file.height * file.width)
        try file.readFrames(of: sequence, first: 0, count: file.frameCount, into: &frames)
        var counts = [UInt8](repeating: 0, count: file.frameCount)
        try file.readCounts(of: sequence, first: 0, count: file.frameCount, into: &counts)
        var labels = [UInt8](repeating: 0, count: slots)
        try file.readLabels(of: sequence, into: &labels)
        var boxes = [Float](repeating: 0, count: file.frameCount * slots * 4)
        try file.readBoxes(of: sequence, first: 0, count: file.frameCount, into: &boxes)
        var ids = [Int32](repeating: 0, count: file.frameCount * slots)
        try file.readIds(of: sequence, first: 0, count: file.frameCount, into: &ids)
        bytes += frames + counts + labels
        self.boxes += boxes
        self.ids += ids
      }
    }
  }

  /// Reads damaged copies of one file and counts what came of them.
  private struct Trial {
    let kind: Kind
    let folder: TemporaryDirectory
    let whole: [UInt8]
    let contents: Contents
    var outcomes: [String: Int] = [:]

    init(_ kind: Kind) throws {
      self.kind = kind
      folder = try TemporaryDirectory()
      try kind.write(to: folder.path("whole.h5"))
      whole = try Samples.bytes(folder.path("whole.h5"))
      contents = try kind.read(folder.path("whole.h5"))
    }

    mutating func read(_ damaged: [UInt8], _ place: Comment) throws {
      let path = folder.path("damaged.h5")
      try Samples.write(damaged, path)
      do {
        #expect(try kind.read(path) == contents, place)
        outcomes["harmless", default: 0] += 1
      } catch let error as StorageError {
        #expect(error.file == path && !error.hint.isEmpty, place)
        outcomes[Self.check(error, place), default: 0] += 1
      }
    }

    /// Which check refused it. Only what makes the whole file unreadable names no part of it.
    private static func check(_ error: StorageError, _ place: Comment) -> String {
      if error.part == nil {
        let checks = ["string heap", "cannot open it", "not an HDF5 file", "truncated"]
        let check = checks.first { error.problem.contains($0) }
        #expect(check != nil, "\(place): \(error)")
        return check ?? "\(error)"
      }
      if error.part == "attribute 'digest'", error.problem.hasPrefix("it is ") { return "digest" }
      if error.part == "attribute 'format'", error.problem.hasPrefix("it is ") { return "format" }
      if error.problem.contains("Fletcher32") { return "Fletcher-32 of a chunk" }
      if error.problem.contains("checksum") { return "checksum of metadata" }
      let claims = [
        "its chunk", "its shape", "its elements", "only ", "the group claims", "the name of entry", "it holds ",
      ]
      if claims.contains(where: error.problem.hasPrefix) { return "a claim that cannot be" }
      // HDF5's reason stands in brackets.
      #expect(error.problem.hasPrefix("cannot ") && error.problem.hasSuffix(")"), "\(place): \(error)")
      return "structure of HDF5"
    }
  }

  private static let cases = ProcessInfo.processInfo.environment["SQAIR_DIST_DAMAGE_CASES"].flatMap { Int($0) }

  private func tell(_ trial: Trial, _ what: String) {
    guard Self.cases != nil else { return }
    print("\(trial.kind.rawValue), \(trial.whole.count) bytes, \(what):")
    for (outcome, count) in trial.outcomes.sorted(by: { $0.value > $1.value }) { print("  \(count)  \(outcome)") }
  }

  @Test("a flipped bit is harmless or refused", arguments: Kind.allCases)
  func flippedBit(kind: Kind) throws {
    var trial = try Trial(kind)
    var random = SeededGenerator(seed: 1)
    for _ in 0..<(Self.cases ?? 1_000) {
      let position = Int.random(in: 0..<trial.whole.count, using: &random)
      let bit = Int.random(in: 0..<8, using: &random)
      var bytes = trial.whole
      bytes[position] ^= 1 << bit
      try trial.read(bytes, "byte \(position), bit \(bit)")
    }
    tell(trial, "flipped bits")
    #expect(trial.outcomes.count >= 5, "\(trial.outcomes)")
  }

  @Test("a file cut anywhere is refused", arguments: Kind.allCases)
  func truncated(kind: Kind) throws {
    var trial = try Trial(kind)
    for place in 0..<200 {
      let length = place < 100 ? trial.whole.count * place / 100 : trial.whole.count - (place - 99)
      try trial.read(Array(trial.whole.prefix(length)), "cut to \(length) bytes")
    }
    tell(trial, "cut")
    #expect(trial.outcomes["harmless"] == nil)
  }

  @Test("a block that was never written, or elsewhere, is harmless or refused", arguments: Kind.allCases)
  func lostBlock(kind: Kind) throws {
    var trial = try Trial(kind)
    var random = SeededGenerator(seed: 2)
    for place in 0..<(Self.cases ?? 200) {
      let size = min(trial.whole.count / 2, 512 << Int.random(in: 0..<4, using: &random))
      let start = Int.random(in: 0...(trial.whole.count - size) / 512, using: &random) * 512
      let source = Int.random(in: 0...(trial.whole.count - size) / 512, using: &random) * 512
      var bytes = trial.whole
      let other = place % 2 == 0 ? [UInt8](repeating: 0, count: size) : Array(trial.whole[source..<source + size])
      bytes.replaceSubrange(start..<start + size, with: other)
      try trial.read(bytes, "\(size) bytes at \(start), from \(place % 2 == 0 ? "nowhere" : "\(source)")")
    }
    tell(trial, "lost blocks")
    #expect(trial.outcomes.count >= 3, "\(trial.outcomes)")
  }
}

/// The same numbers on every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
