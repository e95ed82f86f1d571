import Foundation
import Models
import Numerics
import Testing

/// The parts of the model one by one against the reference numbers: the file's groups `/unit` and `/opt`.
@Suite struct GoldenUnitTests {
  private let file: GoldenFile

  init() throws { file = try GoldenFile() }

  /// Expects numbers to agree to `tolerance`, relative above 1.
  private func expect(
    _ ours: [Double], _ expected: [Double], tolerance: Double = 1e-5, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(ours.count == expected.count, "\(what)", sourceLocation: sourceLocation)
    for (place, (a, b)) in zip(ours, expected).enumerated() {
      #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(what)[\(place)]", sourceLocation: sourceLocation)
    }
  }

  private func doubles(_ tensor: Tensor) -> [Double] { tensor.array.map { Double($0) } }

  private func gradients(_ tensor: Tensor) -> [Double] {
    (0..<tensor.rows * tensor.columns).map { Double(tensor.gradients![$0]) }
  }

  /// An array of the file as a tensor with gradients, its last dimension as columns.
  private func tensor(_ path: String, columns: Int? = nil, on tape: Tape) throws -> Tensor {
    let array = try file.array(path)
    let columns = columns ?? array.shape.last ?? 1
    let tensor = tape.tensor(rows: array.values.count / columns, columns: columns)
    for (place, value) in array.values.enumerated() { tensor.values[place] = Float(value) }
    return tensor
  }

  private func index(_ values: [Int], on tape: Tape) -> Index {
    let index = tape.index(count: values.count)
    for (place, value) in values.enumerated() { index[place] = value }
    return index
  }

  // MARK: Objective

  @Test(arguments: [Estimator.published, .textbook])
  func goldenControlVariateAndLoss(of estimator: Estimator) throws {
    let logWeights = try file.array("unit/vimco/log_weights")
    let discrete = try file.array("unit/vimco/log_q_discrete")
    let (examples, particles) = (logWeights.shape[0], logWeights.shape[1])
    let suffix = estimator == .published ? "ref" : "proper"
    var bounds: [Double] = []
    var variates: [Double] = []
    var weightGradients: [Double] = []
    var discreteGradients: [Double] = []
    var loss = 0.0
    for example in 0..<examples {
      let range = example * particles..<(example + 1) * particles
      var weightGradient = [Double](repeating: 0, count: particles)
      var discreteGradient = weightGradient
      Array(logWeights.values[range]).withUnsafeBufferPointer { weights in
        bounds.append(Objective.bound(weights))
        variates += (0..<particles).map { Objective.controlVariate(weights, of: $0) }
        Array(discrete.values[range]).withUnsafeBufferPointer { discrete in
          weightGradient.withUnsafeMutableBufferPointer { weightGradient in
            discreteGradient.withUnsafeMutableBufferPointer { discreteGradient in
              loss += Objective.loss(
                weights, discrete: discrete, estimator: estimator, weightGradient: weightGradient,
                discreteGradient: discreteGradient)
            }
          }
        }
      }
      weightGradients += weightGradient
      discreteGradients += discreteGradient
    }
    let scale = 1 / Double(examples)
    expect(bounds, try file.array("unit/vimco/iwae").values, "iwae")
    expect(variates, try file.array("unit/vimco/control_variate").values, "control_variate")
    expect([loss * scale], try file.array("unit/vimco/loss_" + suffix).values, "loss")
    expect(
      weightGradients.map { $0 * scale }, try file.array("unit/vimco/grad_log_weights_" + suffix).values,
      tolerance: 1e-6, "grad_log_weights")
    expect(
      discreteGradients.map { $0 * scale }, try file.array("unit/vimco/grad_log_q_" + suffix).values, tolerance: 1e-6,
      "grad_log_q")
  }

  // MARK: Distributions

  @Test func goldenCountPosterior() throws {
    let tape = Tape()
    let all = try file.array("unit/count_posterior/logits")
    let numbers = try file.array("unit/count_posterior/n").values.map { Int($0) }
    let (rows, slots) = (all.shape[0], all.shape[1])
    // Only the draws up to the first failure are made, as in discovery.
    let draws = (0..<rows).flatMap { row in (0...min(numbers[row], slots - 1)).map { (row: row, slot: $0) } }
    let logit = tape.tensor(rows: draws.count, columns: 1)
    let value = tape.constant(rows: draws.count, columns: 1)
    for (place, draw) in draws.enumerated() {
      logit[place, 0] = Float(all[draw.row, draw.slot])
      value[place, 0] = draw.slot < numbers[draw.row] ? 1 : 0
    }
    let mass = tape.bernoulliLogMass(logit, value: value)
    let logMass = tape.countLogMass(mass, of: index(draws.map(\.row), on: tape), rows: rows, minimum: 1e-16)
    expect(doubles(logMass), try file.array("unit/count_posterior/log_prob").values, "log_prob")

    // The unclipped masses are the probabilities of the drawn numbers.
    let probabilities = try file.array("unit/count_posterior/probs")
    for row in 0..<rows {
      let sum = draws.indices.filter { draws[$0].row == row }.reduce(0.0) { $0 + Double(mass[$1, 0]) }
      let expected = probabilities[row, numbers[row]]
      #expect(abs(exp(sum) - expected) <= 1e-5 * expected + 1e-30, "row \(row)")
    }

    tape.prepareBackward()
    for row in 0..<rows { logMass.gradients![row] = 1 }
    tape.backward()
    let expected = try file.array("unit/count_posterior/grad_logits")
    for (place, draw) in draws.enumerated() {
      let ours = Double(logit.gradients![place])
      #expect(abs(ours - expected[draw.row, draw.slot]) < 1e-5, "row \(draw.row), slot \(draw.slot)")
    }
    // Draws that were not made have no gradient.
    for row in 0..<rows where numbers[row] + 1 < slots {
      for slot in (numbers[row] + 1)..<slots { #expect(abs(expected[row, slot]) < 1e-7) }
    }
  }

  @Test func goldenCorrelatedNormal() throws {
    let tape = Tape()
    let location = try tensor("unit/where_normal/loc", on: tape)
    let scale = try tensor("unit/where_normal/scale", on: tape)
    let cholesky = try tensor("unit/where_normal/chol", on: tape)
    let sample = tape.sampleCorrelatedNormal(
      location: location, scale: scale, cholesky: cholesky, noise: try tensor("unit/where_normal/eps", on: tape))
    expect(doubles(sample.x), try file.array("unit/where_normal/sample").values, "sample")
    expect(doubles(sample.logDensity), try file.array("unit/where_normal/log_prob").values, "log_prob")

    // Noise along one axis shows a column of L = diag(scale) (C + I).
    let factor = try file.array("unit/where_normal/L")
    let template = try file.array("unit/where_normal/template")
    for column in 0..<4 {
      let noise = tape.constant(rows: 1, columns: 4)
      for element in 0..<4 { noise[0, element] = element == column ? 1 : 0 }
      let x = tape.sampleCorrelatedNormal(location: location, scale: scale, cholesky: cholesky, noise: noise).x
      for row in 0..<4 {
        let ours = Double(x[0, row] - location[0, row])
        #expect(abs(ours - factor[row, column]) < 1e-5, "L[\(row), \(column)]")
        let identity = row == column ? 1.0 : 0
        #expect(abs(ours / Double(scale[0, row]) - identity - template[row, column]) < 1e-4, "C[\(row), \(column)]")
      }
    }
  }

  // MARK: Layers

  @Test func goldenGatedRecurrentUnit() throws {
    let tape = Tape(recording: false)
    let store = try file.model().parameters
    func gates(_ letter: String) -> Tensor {
      store.sideBySide(["z", "r", "h"].map { "prop.prior.gru." + letter + $0 })
    }
    let weights = GatedRecurrentUnitWeights(input: gates("w"), state: gates("u"), bias: gates("b"))
    let next = tape.gatedRecurrentUnit(
      try tensor("unit/gru/x", on: tape), state: try tensor("unit/gru/h", on: tape), weights)
    expect(doubles(next), try file.array("unit/gru/out").values, "out")
  }

  @Test func goldenActivations() throws {
    let tape = Tape(recording: false)
    let x = try tensor("unit/scalar/x", on: tape)
    for (name, activation) in [("elu", Activation.elu), ("sigmoid", .sigmoid)] {
      expect(
        doubles(tape.affine(nil, adding: x, activation: activation)), try file.array("unit/scalar/" + name).values,
        tolerance: 1e-6, name)
    }
    expect(
      doubles(tape.softplusScale(x, minimum: 0)), try file.array("unit/scalar/softplus").values, tolerance: 1e-6,
      "softplus")
  }

  // MARK: Spatial transformer

  private func geometry() throws -> GlimpseGeometry {
    let image = try file.array("unit/stn/image").shape
    let glimpse = try file.array("unit/stn/glimpse").shape
    return GlimpseGeometry(
      imageHeight: image[0], imageWidth: image[1], glimpseHeight: glimpse[1], glimpseWidth: glimpse[2],
      minimumScale: 1e-4)
  }

  @Test func goldenCrop() throws {
    let tape = Tape()
    let geometry = try geometry()
    let image = try tensor("unit/stn/image", columns: geometry.imagePixels, on: tape)
    let places = try tensor("unit/stn/where", on: tape)
    let first = index(Array(repeating: 0, count: places.rows), on: tape)
    let glimpses = tape.crop(image, at: first, where: places, geometry)
    expect(doubles(glimpses), try file.array("unit/stn/crop").values, "crop")

    tape.prepareBackward()
    for (place, value) in try file.array("unit/stn/crop_cotangent").values.enumerated() {
      glimpses.gradients![place] = Float(value)
    }
    tape.backward()
    expect(gradients(image), try file.array("unit/stn/crop_grad_image").values, tolerance: 1e-4, "crop_grad_image")
    expect(gradients(places), try file.array("unit/stn/crop_grad_where").values, tolerance: 1e-4, "crop_grad_where")
  }

  /// Painting one object on a black background pastes its glimpse; a frame that is the mean plus the cotangent makes
  /// the likelihood's derivative by the mean that cotangent.
  @Test func goldenPaste() throws {
    let tape = Tape()
    let geometry = try geometry()
    let glimpses = try tensor("unit/stn/glimpse", columns: geometry.glimpseCells, on: tape)
    let places = try tensor("unit/stn/where", on: tape)
    let background = tape.zeros(rows: 1, columns: geometry.imagePixels)
    let each = index(Array(0..<glimpses.rows), on: tape)
    let frames = tape.constant(rows: glimpses.rows, columns: geometry.imagePixels)
    let pasted = try file.array("unit/stn/paste").values
    let cotangent = try file.array("unit/stn/paste_cotangent").values
    for place in pasted.indices { frames.values[place] = Float(pasted[place] + cotangent[place]) }
    let painted = tape.paint(
      glimpses: glimpses, where: places, objects: each, slots: 1, frames: frames, at: each, background: background,
      geometry, PaintConstants(standardDeviation: 1, maskOffset: -10, maskSlope: 20))
    expect(painted.mean.array.map { Double($0) }, pasted, "paste")
    let pixels = geometry.imagePixels
    for row in 0..<glimpses.rows {
      let squares = cotangent[row * pixels..<(row + 1) * pixels].reduce(0) { $0 + $1 * $1 }
      let expected = -0.5 * squares - 0.5 * log(2 * Double.pi) * Double(pixels)
      #expect(abs(Double(painted.logLikelihood[row, 0]) - expected) < 1e-4 * abs(expected))
    }

    tape.prepareBackward()
    for row in 0..<glimpses.rows { painted.logLikelihood.gradients![row] = 1 }
    tape.backward()
    expect(
      gradients(glimpses), try file.array("unit/stn/paste_grad_glimpse").values, tolerance: 1e-4, "paste_grad_glimpse")
    expect(gradients(places), try file.array("unit/stn/paste_grad_where").values, tolerance: 1e-3, "paste_grad_where")
  }

  // MARK: Optimizers

  @Test(arguments: ["rmsprop", "adam"])
  func goldenOptimizer(name: String) throws {
    let store = try file.model().parameters
    for parameter in store.parameters {
      let gradient = try file.array("grads/" + parameter.name).values.map { Float($0) }
      store.write(gradient, to: parameter, in: store.gradients)
    }
    let optimizer: any Optimizer = name == "adam" ? Adam(count: store.count) : RMSProp(count: store.count)
    for update in 1...2 {
      optimizer.update(
        0..<store.count, of: store.values, gradients: store.gradients, factor: 1, learningRate: 1e-3, update: update)
    }
    let group = "opt/\(name)_2steps_lr1e-3"
    let names = try file.names(below: "/" + group)
    #expect(names.count > 4)
    for parameterName in names {
      let parameter = try #require(store.parameter(parameterName))
      let before = try file.array("params/" + parameterName).values
      let after = try file.array(group + "/" + parameterName).values
      let ours = store.read(parameter)
      for place in after.indices {
        let change = after[place] - before[place]
        #expect(
          abs(Double(ours[place]) - after[place]) <= 1e-3 * abs(change) + 1e-7 * max(1, abs(after[place])),
          "\(parameterName)[\(place)] changed by \(Double(ours[place]) - before[place]), not \(change)")
      }
    }
  }
}
