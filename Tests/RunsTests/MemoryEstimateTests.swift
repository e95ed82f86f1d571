import Cluster
import Foundation
import Runs
import TestSupport
import Testing

/// What a command would need of memory, and when it is refused.
@Suite struct MemoryEstimateTests {
  /// A host with so many bytes and no other limit.
  private func limits(bytes: Int) throws -> ResourceLimits {
    let folder = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: folder.path("proc"), withIntermediateDirectories: true)
    try "MemTotal: \(bytes / 1024) kB\nMemAvailable: \(bytes / 1024) kB\n".write(
      toFile: folder.path("proc/meminfo"), atomically: false, encoding: .utf8)
    return ResourceLimits(root: folder.path, affinityCores: 2)
  }

  private func estimate(ranks: Int = 1, _ change: (inout Configuration) -> Void) -> MemoryEstimate {
    var configuration = Configuration()
    change(&configuration)
    return MemoryEstimate(training: configuration, ranks: ranks)
  }

  /// Measured peaks: 3 frames, 8 sequences, 5 particles, 50x50 pixels.
  @Test(arguments: [(32, 82e6), (256, 254e6), (1024, 1922e6)]) func theEstimateIsBelowThePeakAndNear(
    hidden: Int, peak: Double
  ) {
    let bytes = estimate {
      $0.training.batchSize = 8
      ($0.training.frames.start, $0.training.frames.end) = (3, 3)
      $0.model.constants.hidden = hidden
    }.bytes
    #expect(bytes < peak && bytes > 0.5 * peak, "\(bytes)")
  }

  /// The estimate is a lower bound: above it a process may be killed for memory, of which the run has to warn.
  @Test func whatMayNotSufficeIsTold() throws {
    let estimate = estimate { _ in }
    let bytes = Int(estimate.bytes)
    try estimate.require(limits: limits(bytes: bytes + 1_000_000))
    let text = try #require(estimate.warning(limits: limits(bytes: bytes + 1_000_000)))
    #expect(text.hasPrefix("memory may not suffice: ") && text.contains("(the memory of the host)"), "\(text)")
    #expect(estimate.warning(limits: try limits(bytes: 3 * bytes)) == nil)
  }

  @Test func theDefaultRunFitsASmallHost() throws {
    try estimate { _ in }.require(limits: limits(bytes: 1 << 30))
  }

  typealias Change = @Sendable (inout Configuration) -> Void
  static let absurd: [(name: String, change: Change)] = [
    ("training.particles (now 4000000000000000000)", { $0.training.particles = 4_000_000_000_000_000_000 }),
    ("training.particles (now 9223372036854775807)", { $0.training.particles = .max }),
    ("model.hiddenSize (now 100000)", { $0.model.constants.hidden = 100_000 }),
    ("model.hiddenSize (now 9223372036854775806)", { $0.model.constants.hidden = .max - 1 }),
    ("model.appearanceSize (now 1000000000)", { $0.model.constants.what = 1_000_000_000 }),
    ("model.maskHiddenSize (now 9223372036854775807)", { $0.model.constants.maskHidden = .max }),
    ("training.batchSize (now 9223372036854775807)", { $0.training.batchSize = .max }),
    ("training.frames.end (now 9223372036854775807)", { $0.training.frames.end = .max }),
  ]

  @Test(arguments: absurd.indices) func whatCannotWorkIsRefusedWithTheSettingToLower(index: Int) throws {
    let (name, change) = Self.absurd[index]
    let limits = try limits(bytes: 24 << 30)
    let error = #expect(throws: RunError.self) { try estimate(change).require(limits: limits) }
    let text = try #require(error).description
    #expect(text.contains(name), "\(text)")
    #expect(text.contains("allows 25.8 GB in all (the memory of the host)"), "\(text)")
  }

  @Test func processesOfAHostNeedTheirMemoryTogether() throws {
    let limits = try limits(bytes: 700_000_000)
    try estimate(ranks: 2) { _ in }.require(ranks: 2, limits: limits)
    #expect(throws: RunError.self) { try estimate(ranks: 8) { _ in }.require(ranks: 8, limits: limits) }
  }

  @Test func manyParticlesOfAnEvaluationAreCounted() throws {
    let limits = try limits(bytes: 8 << 30)
    func require(_ count: Int) throws {
      try MemoryEstimate(evaluating: Configuration(), particles: ("--particles", count), frames: 10)
        .require(limits: limits)
    }
    try require(1_000)
    #expect(throws: RunError.self) { try require(1_000_000_000) }
    #expect(throws: RunError.self) { try require(.max) }
  }

  @Test func whatACommandKeepsBesidesIsCounted() throws {
    var estimate = MemoryEstimate(evaluating: Configuration(), particles: ("--particles", 5), frames: 10)
    try estimate.require(limits: try limits(bytes: 8 << 30))
    estimate.add("latent variables", 9e9, [("--train-sequences", 1_000_000)])
    let error = #expect(throws: RunError.self) { try estimate.require(limits: try limits(bytes: 8 << 30)) }
    let text = try #require(error).description
    #expect(text.contains("9.0 GB of it for latent variables"), "\(text)")
    #expect(text.contains("Lower --train-sequences (now 1000000)"), "\(text)")
  }
}
