import Evaluation
import Foundation
import Models
import Numerics
import Testing

/// Errors of one-step predictions, for objects whose positions are known.
@Suite struct StepPredictionTests {
  private let tape = Tape(recording: false)
  private var configuration: SQAIRConfiguration {
    var configuration = SQAIRConfiguration()
    (configuration.height, configuration.width, configuration.slots) = (101, 101, 2)
    return configuration
  }

  /// A row with objects of these identities, whose centers are `y` pixels below that of the frame.
  private func state(_ objects: [(id: Int, y: Float)]) -> ObjectState {
    ObjectState(
      rowCount: 1, slots: 2, rows: tape.index(count: objects.count) { _ in 0 },
      slotStarts: tape.index(count: 3) { min($0, objects.count) },
      objects: tape.index(count: 2) { $0 < objects.count ? $0 : -1 },
      ids: tape.index(count: objects.count) { objects[$0].id }, lastIDs: tape.index(count: 1) { _ in 1 },
      what: tape.constant(rows: objects.count, columns: 1), whereLogits: logits(objects.map(\.y)),
      temporal: tape.constant(rows: objects.count, columns: 0), prior: tape.constant(rows: objects.count, columns: 0))
  }

  /// The center is at tanh(logit) times half of 100 pixels.
  private func logits(_ y: [Float]) -> Tensor {
    let logits = tape.constant(rows: y.count, columns: 4)
    for (object, y) in y.enumerated() {
      for element in 0..<4 { logits[object, element] = element == 3 ? atanh(y / 50) : 0 }
    }
    return logits
  }

  @Test func theErrorsAreDistancesOfCenters() {
    // Object 0 goes on as before and object 1 turns; the prior expects both 2 pixels below where they were.
    let prediction = StepPrediction(
      before: state([(0, 0), (1, 0)]), previous: state([(0, 5), (1, 5)]), priorMean: logits([7, 7]),
      inferred: state([(0, 10), (1, 2)]), configuration, on: tape)
    let errors = prediction.errors(ofRow: 0)
    #expect(errors.objects == 2)
    #expect(abs(errors.prior - (3 + 5)) < 1e-3)
    #expect(abs(errors.constantVelocity - (0 + 8)) < 1e-3)
  }

  @Test func newAndLostObjectsDoNotCount() {
    // Object 0 is lost, and object 1 was discovered in the frame before.
    let prediction = StepPrediction(
      before: state([(0, 0)]), previous: state([(0, 5), (1, 5)]), priorMean: logits([7, 7]),
      inferred: state([(1, 2)]), configuration, on: tape)
    #expect(prediction.errors(ofRow: 0).objects == 0)
  }
}
