import Numerics

/// Classifies the sum of the digits of a frame from its inferred latent variables: the "addition" task of the paper.
///
/// Two hidden layers of 256 and 128 units with ELU see one object each, with the same weights; what they make of the
/// objects of a frame is added up, and after a further hidden layer of 128 units there is one output for each sum of two
/// digits. So the order of the objects does not matter, as it does not to their sum. The classifier is trained; the model
/// does not change. A file shows each of its digits in many frames, so the classifier would know them by heart: while it
/// is trained, its inputs are noisy, and a part of the units of the first two layers is left out.
package final class SumClassifier {
  /// Sums 0 to 18.
  package static let sumCount = 19

  /// Settings of the training.
  package struct Settings: Sendable {
    /// Passes over the frames.
    package var epochs = 12
    /// Frames per update.
    package var batch = 128
    /// Initial learning rate of Adam; it decays linearly to zero.
    package var learningRate = 1e-3
    /// Standard deviation of the noise on an element, relative to its root mean square.
    package var noise: Float = 0.25
    /// Probability with which a unit is left out.
    package var dropout: Float = 0.25

    package init() {}
  }

  private let parameters = ParameterStore()
  private let seed: UInt64
  private let objects: Int
  private let size: Int
  /// What each element is multiplied with, so that all are about as large, [size].
  private var scales: [Float]

  /// A network with initial weights for frames of `objects` objects, `size` elements each.
  package init(objects: Int, size: Int, seed: UInt64) {
    self.objects = objects
    self.size = size
    self.seed = seed
    scales = [Float](repeating: 1, count: size)
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
    scales = data.rootMeanSquares.map { $0 > 0 ? 1 / $0 : 1 }
    let optimizer = Adam(count: parameters.count)
    let tape = Tape()
    let updatesPerEpoch = (data.count + settings.batch - 1) / settings.batch
    var update = 0
    for epoch in 0..<settings.epochs {
      var order = Array(0..<data.count)
      let random = CounterRandom(seed: seed, purpose: .batchOrder, step: UInt64(epoch))
      var shuffling = random.reader(0)
      order.shuffle(using: &shuffling)
      for first in stride(from: 0, to: order.count, by: settings.batch) {
        let rows = order[first..<min(first + settings.batch, order.count)]
        tape.reset()
        let target = tape.index(count: rows.count)
        for (index, row) in rows.enumerated() { target[index] = data.sums[row] }
        let disturbance = Disturbance(random: random, batch: UInt32(first), settings: settings)
        let logits = logits(of: rows, in: data, disturbedBy: disturbance, on: tape)
        let logMass = tape.categoricalLogMass(logits, value: target).logMass
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

  /// What makes training harder: noise on the inputs, and units that are left out.
  private struct Disturbance {
    let random: CounterRandom
    /// Tells the batches of an epoch apart.
    let batch: UInt32
    let settings: Settings

    /// Adds noise to the inputs of the objects that are there; the elements of an absent one are all zero.
    func addNoise(to x: Tensor, on tape: Tape) {
      let noise = tape.constant(rows: x.rows, columns: x.columns)
      random.normals(1, batch, 0, into: noise.values, count: x.rows * x.columns)
      for row in 0..<x.rows {
        let (values, noise) = (x.values + row * x.columns, noise.values + row * x.columns)
        guard (0..<x.columns).contains(where: { values[$0] != 0 }) else { continue }
        for column in 0..<x.columns { values[column] += settings.noise * noise[column] }
      }
    }

    /// The units that remain, larger in their stead.
    func droppingUnits(of x: Tensor, layer: UInt32, on tape: Tape) -> Tensor {
      let factors = tape.constant(rows: x.rows, columns: x.columns)
      let count = x.rows * x.columns
      random.uniforms(2, batch, layer, into: factors.values, count: count)
      for index in 0..<count { factors.values[index] = factors.values[index] < settings.dropout ? 0 : 1 }
      return tape.scaledSum(tape.multiply(x, factors), 1 / (1 - settings.dropout))
    }
  }

  /// The outputs [rows, 19] for some frames.
  private func logits(
    of rows: some Collection<Int>, in data: LabelledLatents, disturbedBy disturbance: Disturbance? = nil, on tape: Tape
  ) -> Tensor {
    let input = tape.constant(rows: rows.count * objects, columns: size)
    let width = objects * size
    data.values.withUnsafeBufferPointer { values in
      for (index, row) in rows.enumerated() {
        for place in 0..<width {
          input.values[index * width + place] = values[row * width + place] * scales[place % size]
        }
      }
    }
    disturbance?.addNoise(to: input, on: tape)
    func layer(_ number: Int, _ x: Tensor, _ activation: Activation) -> Tensor {
      tape.affine(x * parameters["l\(number).w"], bias: parameters["l\(number).b"], activation: activation)
    }
    var ofObjects = input
    for number in 0..<2 {
      ofObjects = layer(number, ofObjects, .elu)
      if let disturbance { ofObjects = disturbance.droppingUnits(of: ofObjects, layer: UInt32(number), on: tape) }
    }
    let frame = tape.index(count: input.rows) { $0 / objects }
    return layer(3, layer(2, tape.sumRows(ofObjects, to: frame, rows: rows.count), .elu), .identity)
  }
}
