import Numerics

/// Classifies the sum of the digits of a frame from its inferred latent variables: the "addition" task of the paper.
///
/// Two hidden layers of 256 and 128 units with ELU see one object each, with the same weights; what they make of the
/// objects of a frame is added up, and after a further hidden layer of 128 units there is one output for each sum of two
/// digits. So the order of the objects does not matter, as it does not to their sum. The classifier is trained; the model
/// does not change.
package final class SumClassifier {
  /// Sums 0 to 18.
  package static let sumCount = 19

  /// Settings of the training.
  package struct Settings: Sendable {
    /// Passes over the frames.
    package var epochs = 30
    /// Frames per update.
    package var batch = 128
    /// Initial learning rate of Adam; it decays linearly to zero.
    package var learningRate = 1e-3

    package init() {}
  }

  private let parameters = ParameterStore()
  private let seed: UInt64
  private let objects: Int
  private let size: Int

  /// A network with initial weights for frames of `objects` objects, `size` elements each.
  package init(objects: Int, size: Int, seed: UInt64) {
    self.objects = objects
    self.size = size
    self.seed = seed
    let sizes = [size, 256, 128, 128, Self.sumCount]
    for (layer, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
      parameters.declare("l\(layer).w", [inputs, outputs], .truncatedNormal(inputs: inputs))
      parameters.declare("l\(layer).b", [outputs], .constant(0))
    }
    parameters.allocate()
    parameters.initialize(seed: seed)
  }

  /// Trains on frames, in an order that depends only on the seed.
  ///
  /// - Parameter progress: called with the number of finished passes.
  package func train(
    on data: LabelledLatents, _ settings: Settings = Settings(), progress: (Int) throws -> Void = { _ in }
  ) throws {
    precondition(data.objects == objects && data.size == size && data.count > 0)
    let optimizer = Adam(count: parameters.count)
    let tape = Tape()
    let updatesPerEpoch = (data.count + settings.batch - 1) / settings.batch
    var update = 0
    for epoch in 0..<settings.epochs {
      var order = Array(0..<data.count)
      var random = CounterRandom(seed: seed, purpose: .batchOrder, step: UInt64(epoch)).reader(0)
      order.shuffle(using: &random)
      for first in stride(from: 0, to: order.count, by: settings.batch) {
        let rows = order[first..<min(first + settings.batch, order.count)]
        tape.reset()
        let target = tape.index(count: rows.count)
        for (index, row) in rows.enumerated() { target[index] = data.sums[row] }
        let logMass = tape.categoricalLogMass(logits(of: rows, in: data, on: tape), value: target).logMass
        parameters.clearGradients()
        tape.prepareBackward()
        logMass.gradients!.update(repeating: -1 / Float(rows.count), count: rows.count)
        tape.backward()
        let left = 1 - Double(update) / Double(updatesPerEpoch * settings.epochs)
        update += 1
        optimizer.update(
          0..<parameters.count, of: parameters.values, gradients: parameters.gradients, factor: 1,
          learningRate: Float(settings.learningRate * left), update: update)
      }
      try progress(epoch + 1)
    }
  }

  /// The share of frames with the correct sum.
  package func accuracy(on data: LabelledLatents) -> Double {
    let tape = Tape(recording: false)
    var right = 0
    for first in stride(from: 0, to: data.count, by: 512) {
      let rows = first..<min(first + 512, data.count)
      tape.reset()
      let logits = logits(of: rows, in: data, on: tape)
      for (index, row) in rows.enumerated() {
        let named = (0..<Self.sumCount).max { logits[index, $0] < logits[index, $1] }
        if named == data.sums[row] { right += 1 }
      }
    }
    return Double(right) / Double(max(data.count, 1))
  }

  /// The outputs [rows, 19] for some frames.
  private func logits(of rows: some Collection<Int>, in data: LabelledLatents, on tape: Tape) -> Tensor {
    let input = tape.constant(rows: rows.count * objects, columns: size)
    let width = objects * size
    data.values.withUnsafeBufferPointer { values in
      for (index, row) in rows.enumerated() {
        (input.values + index * width).update(from: values.baseAddress! + row * width, count: width)
      }
    }
    func layer(_ number: Int, _ x: Tensor, _ activation: Activation) -> Tensor {
      tape.affine(x * parameters["l\(number).w"], bias: parameters["l\(number).b"], activation: activation)
    }
    let ofObjects = layer(1, layer(0, input, .elu), .elu)
    let frame = tape.index(count: input.rows) { $0 / objects }
    return layer(3, layer(2, tape.sumRows(ofObjects, to: frame, rows: rows.count), .elu), .identity)
  }
}
