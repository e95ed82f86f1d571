import Numerics

/// Classifies the sum of the digits of a frame from its inferred latent variables: the "addition" task of the paper.
///
/// Two hidden layers of 512 units with ELU see one object each, with the same weights, and give probabilities of its
/// value; the values of the objects of a frame are independent, and their sum is what counts (`SumLogMass`). So the order
/// of the objects does not matter, and what is learned of a digit holds beside any other. Labels of single objects are
/// not used. The classifier is trained; the model does not change. A file shows each of its digits in many frames, so the
/// classifier would know them by heart: while it is trained, its inputs are noisy, and a part of the hidden units is left
/// out.
package final class SumClassifier {
  /// Sums 0 to 18.
  package static let sumCount = 19

  /// Settings of the training.
  package struct Settings: Sendable {
    /// Passes over the vectors.
    package var epochs = 6
    /// Vectors per update.
    package var batch = 256
    /// Initial learning rate of Adam; it decays linearly to zero.
    package var learningRate = 1e-3
    /// Standard deviation of the noise on an element, relative to its root mean square.
    package var noise: Float = 0.1
    /// Probability with which a hidden unit is left out.
    package var dropout: Float = 0.4

    package init() {}
  }

  private let parameters = ParameterStore()
  private let seed: UInt64
  private let objects: Int
  private let size: Int
  /// What each element is multiplied with, so that all are about as large, [size].
  private var scales: [Float]

  /// A network with initial weights for frames of `objects` objects, `size` elements each.
  ///
  /// The value of an object may be any sum: the vector of a model without objects stands for all digits of the frame, and
  /// an object for two digits that were found as one.
  package init(objects: Int, size: Int, seed: UInt64) {
    self.objects = objects
    self.size = size
    self.seed = seed
    scales = [Float](repeating: 1, count: size)
    let sizes = [size, 512, 512, Self.sumCount]
    for (layer, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
      parameters.declare("l\(layer).w", [inputs, outputs], .truncatedNormal(inputs: inputs))
      parameters.declare("l\(layer).b", [outputs], .constant(0))
    }
    parameters.allocate()
    parameters.initialize(seed: seed)
  }

  /// Trains on vectors of frames, in an order that depends only on the seed.
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
        let present = PresentObjects(of: rows.map { data.vector($0) }, objects: objects)
        let sums = tape.index(count: rows.count)
        for (index, row) in rows.enumerated() { sums[index] = data.sums[row] }
        let disturbance = Disturbance(random: random, batch: UInt32(first), settings: settings)
        let logits = logits(of: present, disturbedBy: disturbance, on: tape)
        let logMass = tape.sumLogMass(logits, of: tape.index(count: logits.rows) { present.frames[$0] }, sums: sums)
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

  /// The most probable sum of a frame.
  ///
  /// - Parameter samples: vectors of the frame, [samples, objects, size]; the probabilities are averaged over them.
  package func sum(of samples: ArraySlice<Float>) -> Int {
    let tape = Tape(recording: false)
    let width = objects * size
    let vectors = stride(from: samples.startIndex, to: samples.endIndex, by: width).map { samples[$0..<$0 + width] }
    let present = PresentObjects(of: vectors, objects: objects)
    let logits = logits(of: present, on: tape)
    var values = [[[Double]]](repeating: [], count: vectors.count)
    for (row, sample) in present.frames.enumerated() { values[sample].append(logits.softmax(ofRow: row)) }
    var masses = [Double](repeating: 0, count: Self.sumCount)
    for ofSample in values {
      for (sum, mass) in distributionOfSum(ofSample).prefix(Self.sumCount).enumerated() { masses[sum] += mass }
    }
    return masses.indices.max { masses[$0] < masses[$1] }!
  }

  /// The objects of frames that are there; the elements of an absent one are all zero.
  private struct PresentObjects {
    /// The elements of each, and the number of its frame, ascending.
    private(set) var vectors: [ArraySlice<Float>] = []
    private(set) var frames: [Int] = []

    init(of frames: [ArraySlice<Float>], objects: Int) {
      for (number, frame) in frames.enumerated() {
        let size = frame.count / objects
        for start in stride(from: frame.startIndex, to: frame.endIndex, by: size) {
          let vector = frame[start..<start + size]
          guard vector.contains(where: { $0 != 0 }) else { continue }
          vectors.append(vector)
          self.frames.append(number)
        }
      }
    }
  }

  /// What makes training harder: noise on the inputs, and units that are left out.
  private struct Disturbance {
    let random: CounterRandom
    /// Tells the batches of an epoch apart.
    let batch: UInt32
    let settings: Settings

    /// Adds noise to the inputs.
    func addNoise(to x: Tensor, on tape: Tape) {
      let noise = tape.constant(rows: x.rows, columns: x.columns)
      let count = x.rows * x.columns
      random.normals(1, batch, 0, into: noise.values, count: count)
      for index in 0..<count { x.values[index] += settings.noise * noise.values[index] }
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

  /// The logits [rows, values] of the values of some objects.
  private func logits(
    of present: PresentObjects, disturbedBy disturbance: Disturbance? = nil, on tape: Tape
  ) -> Tensor {
    var x = tape.constant(rows: present.vectors.count, columns: size)
    for (row, vector) in present.vectors.enumerated() {
      for (column, element) in vector.enumerated() { x[row, column] = element * scales[column] }
    }
    disturbance?.addNoise(to: x, on: tape)
    for layer in 0..<3 {
      let isLast = layer == 2
      x = tape.affine(
        x * parameters["l\(layer).w"], bias: parameters["l\(layer).b"], activation: isLast ? .identity : .elu)
      if let disturbance, !isLast { x = disturbance.droppingUnits(of: x, layer: UInt32(layer), on: tape) }
    }
    return x
  }
}
