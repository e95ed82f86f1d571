import Foundation
import Numerics
import Runs
import TestSupport
import Testing
import Training

/// The losses of tiny runs beside those that an earlier version computed: the guard against silent drift.
///
/// A change that is meant to change numbers writes the file anew, and says why:
///
///     SQAIR_WRITE_LOSS_CURVES=Tests/TrainingTests/Fixtures/loss-curves.json swift test -c release --filter LossCurve
@Suite struct LossCurveTests {
  /// The contents of the file.
  private struct Curves: Codable {
    /// The processor kernels that computed them; see `LinearAlgebra.kernels`.
    var kernels = LinearAlgebra.kernels
    /// By recipe: bound in nats per frame and gradient norm of each update.
    var bounds: [String: [Double]] = [:]
    var gradientNorms: [String: [Double]] = [:]
  }

  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func compute() throws -> Curves {
    let data = try ToySequences.write(to: folder.path("toy.h5"))
    var curves = Curves()
    for recipe in Recipe.possible {
      let outcome = try InMemoryRun.train(recipe.configuration, data: data, ranks: 1)[0]
      curves.bounds[recipe.rawValue] = outcome.bounds.map(Double.init(bitPattern:))
      curves.gradientNorms[recipe.rawValue] = outcome.norms.map(Double.init(bitPattern:))
    }
    return curves
  }

  @Test func lossesAreThoseOfTheStoredCurves() throws {
    let computed = try compute()
    if let path = ProcessInfo.processInfo.environment["SQAIR_WRITE_LOSS_CURVES"] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try encoder.encode(computed).write(to: URL(fileURLWithPath: path))
      return
    }
    let url = try #require(
      Bundle.module.url(forResource: "loss-curves", withExtension: "json", subdirectory: "Fixtures"))
    let stored = try JSONDecoder().decode(Curves.self, from: Data(contentsOf: url))
    #expect(Set(stored.bounds.keys) == Set(Recipe.allCases.map(\.rawValue)))
    compare("bound", computed.bounds, stored.bounds, exactly: stored.kernels == computed.kernels)
    compare("gradient norm", computed.gradientNorms, stored.gradientNorms, exactly: stored.kernels == computed.kernels)
  }

  private func compare(_ name: String, _ computed: [String: [Double]], _ stored: [String: [Double]], exactly: Bool) {
    for (recipe, curve) in stored where Recipe(rawValue: recipe)?.isPossible ?? true {
      let new = computed[recipe] ?? []
      #expect(new.count == curve.count)
      for (index, (new, old)) in zip(new, curve).enumerated() {
        // Processors of another kind round differently, which a few updates do not make much larger.
        #expect(exactly ? new == old : abs(new - old) <= 1e-4 * abs(old), "\(name) of \(recipe) at update \(index + 1)")
      }
    }
  }
}
