import Models
import Numerics
import TestSupport
import Testing

/// Gradients of the operations that only the models need, against central differences.
@Suite struct OperationGradientTests {
  static var operations: [String] { modelOperationTypes.map { "\($0)" } }

  @Test(arguments: operations)
  func gradientAgreesWithFiniteDifferences(of name: String) throws {
    let type = try #require(modelOperationTypes.first { "\($0)" == name })
    for seed in 1...3 as ClosedRange<UInt64> {
      #expect(GradientCheck(type, seed: seed).disagreements(of: name) == [], "seed \(seed)")
    }
  }

  /// A new operation must be in the list, so that it is checked.
  @Test func listHoldsEveryOperationInTheSources() throws {
    #expect(try TestSupport.operations(declaredIn: "Models/Operations") == Set(Self.operations))
  }
}
