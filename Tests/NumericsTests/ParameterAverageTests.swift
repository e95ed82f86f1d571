import Foundation
import Numerics
import Testing

/// The mean of the parameters that moves with an optimizer's update.
@Suite struct ParameterAverageTests {
  private static let count = 1003
  private static let kinds = ["adam", "rmsprop"]

  private func optimizer(_ kind: String) -> any Optimizer {
    kind == "adam" ? Adam(count: Self.count) : RMSProp(count: Self.count)
  }

  private func buffer(_ values: [Float]) -> UnsafeMutableBufferPointer<Float> {
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
    _ = buffer.initialize(from: values)
    return buffer
  }

  private var start: [Float] { (0..<Self.count).map { Float($0 % 17) / 8 - 1 } }

  private func gradient(_ update: Int) -> [Float] { (0..<Self.count).map { sin(Float($0 * update)) } }

  /// Parameters after each of five updates, in slices that begin at `cuts`, and the mean after them.
  private func train(_ kind: String, decay: Double?, cuts: [Int] = [0]) -> (parameters: [[Float]], mean: [Float]) {
    let (optimizer, parameters) = (optimizer(kind), buffer(start))
    defer { parameters.deallocate() }
    let average = decay.map { ParameterAverage(of: parameters, decay: $0) }
    var all: [[Float]] = []
    for update in 1...5 {
      for (first, end) in zip(cuts, cuts.dropFirst() + [Self.count]) {
        let own = buffer(Array(gradient(update)[first..<end]))
        defer { own.deallocate() }
        optimizer.update(
          first..<end, of: parameters, gradients: own, factor: 0.5, learningRate: 1e-2, update: update,
          average: average)
      }
      all.append(Array(parameters))
    }
    return (all, average.map { Array($0.values) } ?? [])
  }

  /// a += (1 - d) (x - a) with d = min(decay, n / (n + 10)).
  @Test(arguments: kinds, [0.2, 0.999]) func theMeanFollowsTheParameters(kind: String, decay: Double) {
    let (parameters, mean) = train(kind, decay: decay)
    var expected = start.map { Double($0) }
    for (place, own) in parameters.enumerated() {
      let update = Double(place + 1)
      let weight = 1 - min(decay, update / (update + 10))
      for element in expected.indices { expected[element] += weight * (Double(own[element]) - expected[element]) }
    }
    for (a, b) in zip(mean, expected) { #expect(abs(Double(a) - b) < 1e-6) }
    #expect(mean != parameters.last)
  }

  @Test(arguments: kinds) func parametersAreThoseWithoutAMean(kind: String) {
    #expect(train(kind, decay: 0.9).parameters == train(kind, decay: nil).parameters)
  }

  /// Each process updates its slice only.
  @Test(arguments: kinds) func slicesGiveTheBitsOfTheWhole(kind: String) {
    let (whole, parts) = (train(kind, decay: 0.9), train(kind, decay: 0.9, cuts: [0, 1, 64, 500]))
    #expect(whole.mean.map(\.bitPattern) == parts.mean.map(\.bitPattern))
  }

  @Test func twoExchangesChangeNothing() {
    let parameters = buffer(start)
    defer { parameters.deallocate() }
    let average = ParameterAverage(of: parameters, decay: 0.9)
    parameters.update(repeating: 3)
    average.swap(with: parameters)
    #expect(Array(parameters) == start && average.values.allSatisfy { $0 == 3 })
    average.swap(with: parameters)
    #expect(Array(average.values) == start && parameters.allSatisfy { $0 == 3 })
  }
}
