import Models
import Numerics
import Testing

/// The gradients of whole models against differences, where there are no golden numbers.
@Suite struct ModelGradientTests {
  enum Kind: CaseIterable { case sqair, air, vrnn }

  /// Switches of the model and of training that are off as published.
  struct Switches: Sendable {
    var residualPrior = false
    var meanAppearanceWeight: Float = 0
    var drawnMeanWeight: Float = 0
    var firstGlimpseScaleOffset: Float = 0
    var masksFirstGlimpse = true
    var refinesPosition = false
    var motionFrames = 0
    var klWeight = 1.0
    /// Of the gradients from frame to frame, and of those of outputs; nil for none.
    var gradientLimit: Float?
    var outputGradientLimit: Float?
    var dropsScoreTerms = false
  }

  private func configuration(_ encoder: SQAIRConfiguration.Encoder) -> SQAIRConfiguration {
    var c = SQAIRConfiguration()
    (c.height, c.width) = (11, 10)
    (c.glimpseHeight, c.glimpseWidth) = (8, 9)
    (c.hidden, c.what, c.slots) = (8, 3, 2)
    (c.maskHidden, c.whereBiasHidden, c.wherePriorHidden) = (4, 4, 4)
    c.encoder = encoder
    c.channels = 4
    // Of the order of the other terms, so that differences are not lost in rounding.
    c.outputStandardDeviation = 1
    return c
  }

  private func model(_ kind: Kind, _ c: SQAIRConfiguration) -> any SequenceModel {
    switch kind {
    case .sqair: SQAIRModel(configuration: c)
    case .air: AIRModel(configuration: c)
    case .vrnn: VRNNModel(configuration: c)
    }
  }

  private static let rows = 4

  /// Explains three frames of two examples; two particles each.
  private func infer(
    _ model: any SequenceModel, limits: ObjectGradientLimits? = nil, on tape: Tape
  ) -> [FrameInference] {
    let c = model.configuration
    let frames = tape.constant(rows: 6, columns: c.height * c.width)
    for place in 0..<frames.rows * frames.columns { frames.values[place] = Float(place * 37 % 23) / 23 }
    var results: [FrameInference] = []
    model.infer(
      FrameBatch(frames: frames, frameCount: 3, examples: 2, particles: 2, gradientLimits: limits), noise: FixedNoise(),
      on: tape, into: &results)
    return results
  }

  private func loss(_ model: any SequenceModel, klWeight: Double = 1) -> Double {
    let tape = Tape(recording: false)
    return infer(model, on: tape).reduce(0) { sum, frame in
      (0..<Self.rows).reduce(sum) {
        $0 + frame.logWeight($1, klWeight: klWeight) + 0.3 * frame.discreteLogProbability($1)
      }
    }
  }

  /// The gradient of `loss` by all parameters, with the switches of training, and the counts of the limit.
  private func gradient(
    _ model: any SequenceModel, _ switches: Switches = Switches()
  ) -> (values: [Float], propagated: Int, limited: [Int]) {
    let tape = Tape()
    defer { withExtendedLifetime(tape) {} }
    tape.dropsScoreTerms = switches.dropsScoreTerms
    let limits = ObjectGradientLimits(
      stateNorm: switches.gradientLimit, outputNorm: switches.outputGradientLimit, on: tape)
    model.parameters.clearGradients()
    let frames = infer(model, limits: limits, on: tape)
    tape.prepareBackward()
    for frame in frames {
      for row in 0..<Self.rows {
        frame.seed(row, logWeight: 1, discrete: 0.3, klWeight: Float(switches.klWeight))
      }
    }
    tape.backward()
    return (
      Array(model.parameters.gradients), limits.propagatedCounts[0],
      ObjectGradientLimits.Part.allCases.map { limits.limited($0)[0] }
    )
  }

  @Test(arguments: Kind.allCases, [SQAIRConfiguration.Encoder.mlp, .conv])
  func gradientsAgreeWithDifferences(of kind: Kind, _ encoder: SQAIRConfiguration.Encoder) throws {
    let model = model(kind, configuration(encoder))
    let parameters = model.parameters
    parameters.initialize(seed: 5)
    let tape = Tape()
    let frames = infer(model, on: tape)
    tape.prepareBackward()
    for frame in frames {
      for row in 0..<Self.rows { frame.seed(row, logWeight: 1, discrete: 0.3) }
    }
    // While the tape, which owns what is read, is still in use.
    #expect(model.findsObjects == (frames[0].objectCount(0) > 0))
    tape.backward()
    for parameter in parameters.parameters {
      // Along its own gradient a parameter's derivative is the gradient's norm.
      let gradient = parameters.read(parameter, from: UnsafeBufferPointer(parameters.gradients))
      let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let start = parameters.read(parameter)
      let step = min(0.002, 0.02 / max(norm, 1e-3))
      func moved(_ sign: Double) -> Double {
        let scale = sign * step / max(norm, 1e-12)
        parameters.write(zip(start, gradient).map { Float(Double($0) + scale * Double($1)) }, to: parameter)
        return loss(model)
      }
      let difference = (moved(1) - moved(-1)) / (2 * step)
      parameters.write(start, to: parameter)
      #expect(
        abs(difference - norm) <= 0.03 * norm + 0.03, "\(parameter.name): \(difference) by differences, not \(norm)")
    }
  }

  /// Differences along the gradient of each parameter, with what is off as published.
  @Test(arguments: [
    Switches(residualPrior: true), Switches(firstGlimpseScaleOffset: 0.6, masksFirstGlimpse: false),
    Switches(firstGlimpseScaleOffset: -0.4), Switches(masksFirstGlimpse: false), Switches(klWeight: 0.3),
    Switches(residualPrior: true, klWeight: 0.5, gradientLimit: 1e9), Switches(meanAppearanceWeight: 1),
    Switches(refinesPosition: true), Switches(masksFirstGlimpse: false, refinesPosition: true, gradientLimit: 1e9),
    Switches(residualPrior: true, meanAppearanceWeight: 0.4, klWeight: 0.5, gradientLimit: 1e9),
    Switches(motionFrames: 2),
    Switches(residualPrior: true, meanAppearanceWeight: 0.4, motionFrames: 5, gradientLimit: 1e9),
    Switches(refinesPosition: true, outputGradientLimit: 1e9),
    Switches(meanAppearanceWeight: 0.4, drawnMeanWeight: 1),
    Switches(meanAppearanceWeight: 0.4, drawnMeanWeight: 0.6, gradientLimit: 1e9),
  ])
  func gradientsAgreeWithDifferencesWithSwitchesOn(_ switches: Switches) {
    var c = configuration(.mlp)
    c.residualPrior = switches.residualPrior
    c.meanAppearanceWeight = switches.meanAppearanceWeight
    c.drawnMeanWeight = switches.drawnMeanWeight
    c.firstGlimpseScaleOffset = switches.firstGlimpseScaleOffset
    c.masksFirstGlimpse = switches.masksFirstGlimpse
    c.refinesPosition = switches.refinesPosition
    c.motionFrames = switches.motionFrames
    let model = model(.sqair, c)
    let parameters = model.parameters
    parameters.initialize(seed: 5)
    if switches.refinesPosition {
      // A correction of zero would hide what is before it.
      let source = parameters.parameter("prop.where.out.w")!
      parameters.write(parameters.read(source), to: parameters.parameter("prop.refine.out.w")!)
    }
    let all = gradient(model, switches).values
    for parameter in parameters.parameters {
      let gradient = all.withUnsafeBufferPointer { parameters.read(parameter, from: $0) }
      let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let start = parameters.read(parameter)
      let step = min(0.002, 0.02 / max(norm, 1e-3))
      func moved(_ sign: Double) -> Double {
        let scale = sign * step / max(norm, 1e-12)
        parameters.write(zip(start, gradient).map { Float(Double($0) + scale * Double($1)) }, to: parameter)
        return loss(model, klWeight: switches.klWeight)
      }
      let difference = (moved(1) - moved(-1)) / (2 * step)
      parameters.write(start, to: parameter)
      #expect(
        abs(difference - norm) <= 0.03 * norm + 0.03, "\(parameter.name): \(difference) by differences, not \(norm)")
    }
  }

  @Test func aResidualPriorMovesItsMeans() {
    func priors(_ isResidual: Bool) -> (whereMeans: [Float], whatMeans: [Float], state: ObjectState, tape: Tape) {
      var c = configuration(.mlp)
      c.residualPrior = isResidual
      let model = model(.sqair, c)
      model.parameters.initialize(seed: 5)
      let tape = Tape(recording: false)
      let propagation = infer(model, on: tape)[1].details!.propagation!
      return (
        propagation.propagated.prior.whereMean.array, propagation.propagated.prior.whatMean.array,
        propagation.previous, tape
      )
    }
    let (plain, residual) = (priors(false), priors(true))
    #expect(plain.whereMeans.count >= 8)
    func expectSum(_ sums: [Float], _ parts: [Float], _ last: [Float]) {
      for (sum, terms) in zip(sums, zip(parts, last)) { #expect(abs(sum - terms.0 - terms.1) < 1e-5) }
    }
    withExtendedLifetime((plain.tape, residual.tape)) {
      expectSum(residual.whereMeans, plain.whereMeans, plain.state.whereLogits.array)
      expectSum(residual.whatMeans, plain.whatMeans, plain.state.what.array)
    }
  }

  @Test(arguments: [Float(1), 0.25]) func appearanceIsExpectedToBeItsMean(weight: Float) {
    func inferred(_ weight: Float, on tape: Tape) -> [FrameInference] {
      var c = configuration(.mlp)
      c.meanAppearanceWeight = weight
      let model = model(.sqair, c)
      model.parameters.initialize(seed: 5)
      return infer(model, on: tape)
    }
    let c = configuration(.mlp)
    let (tape, plainTape) = (Tape(recording: false), Tape(recording: false))
    // The posterior does not read the prior, so the samples are the same without a weight.
    let (frames, plain) = (inferred(weight, on: tape), inferred(0, on: plainTape))
    /// The appearance of an object in a frame.
    func what(_ row: Int, _ id: Int, _ frame: Int) -> [Float]? {
      let state = frames[frame].state
      let object = (0..<state.count).first { state.rows[$0] == row && state.ids[$0] == id }
      return object.map { object in (0..<c.what).map { state.what[object, $0] } }
    }
    var compared = 0
    for frame in 1..<frames.count {
      let propagation = frames[frame].details!.propagation!
      let mean = propagation.propagated.prior.whatMean
      let predicted = plain[frame].details!.propagation!.propagated.prior.whatMean
      for object in 0..<propagation.previous.count {
        let (row, id) = (propagation.previous.rows[object], propagation.previous.ids[object])
        let seen = (0..<frame).compactMap { what(row, id, $0) }
        for element in 0..<c.what {
          let sum = seen.reduce(0) { $0 + $1[element] }
          let predictions = (1 - weight) / weight
          let expected = (sum + predictions * predicted[object, element]) / (Float(seen.count) + predictions)
          #expect(abs(mean[object, element] - expected) < 1e-5)
        }
        if seen.count > 1 { compared += 1 }
      }
    }
    withExtendedLifetime((tape, plainTape)) { #expect(compared > 0) }
  }

  /// What is drawn is what a model without the switch draws of the same objects with that mixture as their appearance.
  @Test(arguments: [Float(1), 0.3]) func objectsAreDrawnAsTheyHaveLookedSoFar(weight: Float) {
    func model(_ weight: Float) -> SQAIRModel {
      var c = configuration(.mlp)
      c.meanAppearanceWeight = 0.25
      c.drawnMeanWeight = weight
      let model = SQAIRModel(configuration: c)
      model.parameters.initialize(seed: 5)
      return model
    }
    let plain = model(0)
    let (tape, drawing) = (Tape(recording: false), Tape(recording: false))
    let frames = infer(model(weight), on: tape)
    var compared = 0
    for (frame, result) in frames.enumerated() {
      let state = result.state
      let mixed = drawing.constant(rows: state.count, columns: state.what.columns)
      for object in 0..<state.count {
        let seen = frames[0...frame].compactMap { earlier -> (Tensor, Int)? in
          let all = earlier.state
          let same = (0..<all.count).first {
            all.rows[$0] == state.rows[object] && all.ids[$0] == state.ids[object]
          }
          return same.map { (all.what, $0) }
        }
        for element in 0..<mixed.columns {
          let mean = seen.reduce(0) { $0 + $1.0[$1.1, element] } / Float(seen.count)
          let (age, counted) = (Float(seen.count), (1 - weight) / weight)
          mixed.values[object * mixed.stride + element] =
            (counted * state.what[object, element] + age * mean) / (counted + age)
        }
        if seen.count > 2 { compared += 1 }
      }
      let drawn = plain.meanImages(
        of: ObjectState(
          rowCount: state.rowCount, slots: state.slots, rows: state.rows, slotStarts: state.slotStarts,
          objects: state.objects, ids: state.ids, lastIDs: state.lastIDs, what: mixed,
          whereLogits: state.whereLogits, temporal: state.temporal, prior: state.prior), on: drawing)!
      for row in 0..<result.mean.rows {
        for pixel in 0..<plain.configuration.height * plain.configuration.width {
          #expect(abs(drawn[row, pixel] - result.mean[row, pixel]) < 1e-5)
        }
      }
    }
    withExtendedLifetime((tape, drawing)) { #expect(compared > 0) }
  }

  /// With the whole velocity, the centre is expected on the line of least squares through the places so far.
  @Test func placesAreExpectedOnALine() {
    func inferred(_ motionFrames: Int, on tape: Tape) -> [FrameInference] {
      var c = configuration(.mlp)
      c.motionFrames = motionFrames
      let model = model(.sqair, c)
      model.parameters.initialize(seed: 5)
      if let gates = model.parameters.parameter("prop.prior.motion.b") {
        model.parameters.write([100, 100], to: gates)
      }
      return infer(model, on: tape)
    }
    let (tape, plainTape) = (Tape(recording: false), Tape(recording: false))
    // The posterior does not read the prior, so the samples are the same.
    let (frames, plain) = (inferred(10, on: tape), inferred(0, on: plainTape))
    var compared = 0
    for frame in 1..<frames.count {
      let propagation = frames[frame].details!.propagation!
      let mean = propagation.propagated.prior.whereMean
      let output = plain[frame].details!.propagation!.propagated.prior.whereMean
      for object in 0..<propagation.previous.count {
        let (row, id) = (propagation.previous.rows[object], propagation.previous.ids[object])
        for element in 0..<4 {
          let places = (0..<frame).compactMap { earlier -> Float? in
            let state = frames[earlier].state
            let same = (0..<state.count).first { state.rows[$0] == row && state.ids[$0] == id }
            return same.map { state.whereLogits[$0, element] }
          }
          let expected = element < 2 ? 0 : next(after: places)
          #expect(abs(mean[object, element] - expected - output[object, element]) < 1e-4)
          if places.count > 1 { compared += 1 }
        }
      }
    }
    withExtendedLifetime((tape, plainTape)) { #expect(compared > 0) }
  }

  /// Where the line of least squares through values at 0, 1, ... is one after the last.
  private func next(after values: [Float]) -> Float {
    let middle = Float(values.count - 1) / 2
    let mean = values.reduce(0, +) / Float(values.count)
    let squares = values.indices.reduce(Float(0)) { $0 + (Float($1) - middle) * (Float($1) - middle) }
    guard squares > 0 else { return mean }
    let slope = values.indices.reduce(Float(0)) { $0 + (Float($1) - middle) * values[$1] } / squares
    return mean + slope * (Float(values.count) - middle)
  }

  @Test func aLimitChangesOnlyWhatItShortens() {
    let model = model(.sqair, configuration(.mlp))
    model.parameters.initialize(seed: 5)
    let plain = gradient(model)
    let far = gradient(model, Switches(gradientLimit: 1e9, outputGradientLimit: 1e9))
    // Two objects in each of four rows after the first frame, and as many after the second.
    #expect(far.values.map(\.bitPattern) == plain.values.map(\.bitPattern))
    #expect(far.propagated == 16 && far.limited == [0, 0, 0, 0, 0, 0, 0])
    let near = gradient(model, Switches(gradientLimit: 1e-3))
    #expect(near.values != plain.values && near.limited == [16, 16, 16, 16, 0, 0, 0])
    let outputs = gradient(model, Switches(outputGradientLimit: 1e-4))
    #expect(outputs.values != plain.values && outputs.limited == [0, 0, 0, 0, 16, 16, 16])
    // A model that hands on no objects has none to limit.
    let air = self.model(.air, configuration(.mlp))
    air.parameters.initialize(seed: 5)
    let limited = gradient(air, Switches(gradientLimit: 1e-3))
    #expect(limited.values == gradient(air).values && limited.propagated == 0)
  }

  /// Scores belong to the parameters of q: those of the prior and of the decoder learn the same without them.
  @Test func withoutScoresOnlyTheParametersOfQChange() {
    let model = model(.sqair, configuration(.mlp))
    model.parameters.initialize(seed: 5)
    let (plain, pathwise) = (gradient(model).values, gradient(model, Switches(dropsScoreTerms: true)).values)
    func read(_ name: String, _ values: [Float]) -> [Float] {
      values.withUnsafeBufferPointer { model.parameters.read(model.parameters.parameter(name)!, from: $0) }
    }
    for name in ["dec.l0.w", "dec.mean_img", "prop.prior.out.w", "disc.prior.where.out.w"] {
      #expect(read(name, plain) == read(name, pathwise), "\(name)")
    }
    for name in ["disc.where.scale_offset", "prop.where.chol", "prop.what.w", "enc.glimpse.out.w"] {
      #expect(read(name, plain) != read(name, pathwise), "\(name)")
    }
  }

  @Test(arguments: Kind.allCases) func latentsAreOneVectorAFrame(of kind: Kind) {
    let model = model(kind, configuration(.mlp))
    model.parameters.initialize(seed: 3)
    let tape = Tape(recording: false)
    // The tape owns the memory of what is read below.
    defer { withExtendedLifetime(tape) {} }
    let frames = infer(model, on: tape)
    for frame in frames {
      for row in 0..<Self.rows {
        let latents = frame.latents(row)
        #expect(latents.count == model.latentCount)
        guard model.findsObjects else {
          #expect(latents.allSatisfy { $0 != 0 })
          continue
        }
        // Two slots of three numbers of appearance, four of place and presence, filled as far as there are objects.
        let slots = [latents[..<8], latents[8...]]
        for (slot, own) in slots.enumerated() {
          let isPresent = slot < frame.objectCount(row)
          #expect(own.last == (isPresent ? 1 : 0))
          #expect(own.allSatisfy { isPresent || $0 == 0 })
          if isPresent {
            let object = frame.state.objects[row * 2 + slot]
            #expect(own.dropFirst(3).first == frame.state.whereLogits[object, 0])
          }
        }
      }
    }
  }

  /// A sample that goes on from what was watched differs from one that starts from nothing, and frames are images.
  @Test func aVRNNGeneratesFromItsMemory() {
    let model = model(.vrnn, configuration(.mlp))
    model.parameters.initialize(seed: 3)
    let tape = Tape(recording: false)
    let frames = infer(model, on: tape)
    let chosen = frames.last!.state.selecting(rows: [3, 0, 3], on: tape)
    func generate(from state: ObjectState?) -> [GeneratedFrame] {
      var generated: [GeneratedFrame] = []
      model.generate(
        from: state, rowCount: 3, frames: 3..<5, discovers: { _ in false }, noise: FixedNoise(), on: tape,
        into: &generated)
      return generated
    }
    let next = generate(from: chosen)
    #expect(next.count == 2 && next[0].mean.rows == 3 && next[0].mean.array.count == 3 * 110)
    #expect(next[0].mean.array != generate(from: nil)[0].mean.array)
    #expect(next[0].mean.slice(rows: 0..<1).array != next[0].mean.slice(rows: 1..<2).array)
    #expect(next[0].state.count == 0 && model.meanImages(of: chosen, on: tape) == nil)
  }
}

/// Noise that does not depend on parameters, with which two objects are found in the first frame and one later.
private final class FixedNoise: NoiseSource {
  private let random = CounterRandom(seed: 5, purpose: .inference)

  func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    random.normals(latent.rawValue, UInt32(frame * 100 + row), UInt32(slot), into: out, count: count)
  }

  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    switch latent {
    case .propagationPresence: frame == 2 && slot == 1 ? 2 : -1
    case .discoveryPresence: slot < (frame == 0 ? 2 : 1) ? -1 : 2
    default: 0.5
    }
  }
}
