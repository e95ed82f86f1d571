import Numerics

/// VRNN (variational recurrent neural network; Chung et al. 2015): a video without objects, for comparison.
///
/// Frame t has one vector z_t of normal latents, as many as the slots of the other models have for appearance and
/// place: K (d + 4). With h the recurrent state and φ dense layers with ELU,
///
///     prior      z_t ~ N(μ, σ)  from φ(h_{t-1})
///     posterior  z_t ~ N(μ, σ)  from φ(image code of x_t, h_{t-1})
///     frame      x_t ~ N(mean image + decoder(φ(z_t), h_{t-1}), 0.3)
///     state      h_t = GRU([image code of x_t; φ(z_t)], h_{t-1})
///
/// All widths are n; σ is a softplus and the same smallest deviation as elsewhere. In generation the mean of a frame
/// is used instead of the frame. There are no discrete choices, so the bound has an ordinary gradient.
public final class VRNNModel: SequenceModel {
  public let configuration: SQAIRConfiguration
  public let parameters: ParameterStore
  public var framesAreIndependent: Bool { false }
  public var findsObjects: Bool { false }
  public var latentCount: Int { size }

  private let image: ImageEncoder
  private let prior: (hidden: Dense, output: Dense)
  private let posterior: (hidden: Dense, output: Dense)
  private let latent: Dense
  private let unit: GatedRecurrentUnitWeights
  private let initialState: Tensor
  private let decoder: ImageDecoder
  /// The mean image, [1, H W].
  private let background: Tensor
  /// Elements of z_t.
  private let size: Int
  /// The inputs of the posterior's hidden layer: image code, recurrent state.
  private let codeInput: InputBlock
  private let stateInput: InputBlock

  /// A model whose parameters are zero; `parameters.initialize(seed:)` or a checkpoint sets them.
  public init(configuration: SQAIRConfiguration, in memory: any VectorMemory = OwnMemory()) {
    self.configuration = configuration
    size = Self.latentCount(configuration)
    codeInput = InputBlock(size: configuration.hidden)
    stateInput = codeInput.next(configuration.hidden)
    let store = ParameterStore()
    Self.declare(in: store, for: configuration)
    store.allocate(in: memory)
    parameters = store
    image = ImageEncoder("enc.img", configuration.imageGrid, configuration, in: store)
    prior = (Dense("prior.l0", in: store), Dense("prior.out", in: store))
    posterior = (Dense("posterior.l0", in: store), Dense("posterior.out", in: store))
    latent = Dense("latent.l0", in: store)
    unit = GatedRecurrentUnitWeights("rnn", in: store)
    initialState = store["rnn.h0"]
    decoder = ImageDecoder("dec", configuration.imageGrid, configuration, in: store)
    background = store["dec.mean_img"].reshaped(rows: 1, columns: configuration.height * configuration.width)
  }

  private static func latentCount(_ c: SQAIRConfiguration) -> Int { c.slots * (c.what + 4) }

  private static func declare(in store: ParameterStore, for c: SQAIRConfiguration) {
    let n = c.hidden
    let size = latentCount(c)
    let declare = LayerDeclarations(store: store)
    ImageEncoder.declare("enc.img", c.imageGrid, for: c, in: store)
    declare.dense("prior.l0", n, n)
    declare.dense("prior.out", n, 2 * size)
    declare.dense("posterior.l0", n + n, n)
    declare.dense("posterior.out", n, 2 * size)
    declare.dense("latent.l0", size, n)
    declare.gatedRecurrentUnit("rnn", n + n, n)
    ImageDecoder.declare("dec", inputs: n + n, c.imageGrid, for: c, in: store)
    store.declare("dec.mean_img", [c.height, c.width], .constant(0))
  }

  @discardableResult
  public func infer(
    _ batch: FrameBatch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState {
    results.removeAll(keepingCapacity: true)
    let microbatches = batch.rowMicrobatches(on: tape)
    let nothing = ObjectState.empty(rows: batch.rowCount, configuration, on: tape)
    var memory = start(rows: batch.rowCount, microbatches, on: tape)
    let codes = encode(batch, on: tape)
    for t in 0..<batch.frameCount {
      tape.label = t
      let context = FrameContext(
        frame: t, frames: batch.frames, image: batch.image(at: t, on: tape), microbatches: microbatches, noise: noise)
      let result = tape.withRowMicrobatches(microbatches.rows) {
        infer(context, from: nothing.remembering(memory), codes, on: tape)
      }
      results.append(result)
      memory = result.state.memory!
    }
    tape.label = nil
    return nothing.remembering(memory)
  }

  /// Image codes [T B, n], and what they add to the hidden layer of the posterior, [T B, n].
  private struct Codes: BitwiseCopyable {
    let codes: Tensor
    let encoded: Tensor
  }

  /// Encodes all frames of a batch: once for each frame, whatever the number of particles.
  private func encode(_ batch: FrameBatch, on tape: Tape) -> Codes {
    tape.enter(.imageEncoder)
    return tape.withRowMicrobatches(batch.frameMicrobatches(on: tape)) {
      let codes = tape.features(batch.frames, image, feedsOneProduct: false)
      let encoded = tape.affine(codes * posterior.hidden.weight.rows(of: codeInput), bias: posterior.hidden.bias)
      return Codes(codes: codes, encoded: encoded)
    }
  }

  /// One frame: prior, posterior and sample of z_t, the frame's likelihood, and the next state.
  private func infer(
    _ context: FrameContext, from state: ObjectState, _ images: Codes, on tape: Tape
  ) -> FrameInference {
    let memory = state.memory!
    tape.enter(.recurrence)
    let expected = moments(memory, prior, on: tape)
    let seen = moments(
      of: tape.affine(
        memory * posterior.hidden.weight.rows(of: stateInput), adding: images.encoded, at: context.image,
        activation: .elu, feedsOneProduct: true), posterior.output, on: tape)
    let noise = self.noise(context.noise, frame: context.frame, rows: context.rowCount, on: tape)
    let sample = tape.sampleNormal(location: seen.mean, scale: seen.scale, noise: noise)
    let logP = tape.normalLogDensity(sample.x, location: expected.mean, scale: expected.scale)
    let features = tape.dense(sample.x, latent, .elu)
    let means = decode(features, memory, on: tape)
    tape.enter(.likelihood)
    let logLikelihood = tape.imageLogDensity(
      context.frames, at: context.image, means: means, standardDeviation: configuration.outputStandardDeviation)
    tape.enter(.recurrence)
    let next = tape.gatedRecurrentUnit(
      tape.join(tape.selectRows(of: images.codes, at: context.image), features), state: memory, unit)
    return FrameInference(
      state: state.remembering(next), mean: PaintedImages(means), logLikelihood: logLikelihood,
      logQ: sample.logDensity, logP: logP, discrete: tape.zeros(rows: context.rowCount, columns: 1),
      propagatedCounts: nil, discoveredCounts: nil, details: nil, vector: sample.x)
  }

  /// No objects are there to be discovered: `discovers` is not called.
  public func generate(
    from state: ObjectState?, rowCount: Int, frames: Range<Int>, discovers: (Int) -> Bool, noise: any NoiseSource,
    on tape: Tape, into results: inout [GeneratedFrame]
  ) {
    results.removeAll(keepingCapacity: true)
    let nothing = ObjectState.empty(rows: rowCount, configuration, on: tape)
    var memory = state?.memory ?? start(rows: rowCount, RowMicrobatches(rows: nil), on: tape)
    for t in frames {
      let expected = moments(memory, prior, on: tape)
      let sample = tape.sampleNormal(
        location: expected.mean, scale: expected.scale, noise: self.noise(noise, frame: t, rows: rowCount, on: tape))
      let features = tape.dense(sample.x, latent, .elu)
      let means = decode(features, memory, on: tape)
      let code = tape.features(means, image, feedsOneProduct: false)
      memory = tape.gatedRecurrentUnit(tape.join(code, features), state: memory, unit)
      results.append(GeneratedFrame(state: nothing.remembering(memory), mean: PaintedImages(means), drawn: nil))
    }
  }

  /// The recurrent state before the first frame [N, n]: for each row that of its microbatch.
  private func start(rows: Int, _ microbatches: RowMicrobatches, on tape: Tape) -> Tensor {
    tape.enter(.recurrence)
    return tape.selectRows(
      of: tape.perMicrobatch(initialState), at: tape.index(count: rows) { microbatches.microbatch(ofRow: $0) })
  }

  private func moments(
    _ memory: Tensor, _ layers: (hidden: Dense, output: Dense), on tape: Tape
  ) -> (mean: Tensor, scale: Tensor) {
    moments(of: tape.hidden(memory, layers.hidden), layers.output, on: tape)
  }

  private func moments(of hidden: Tensor, _ output: Dense, on tape: Tape) -> (mean: Tensor, scale: Tensor) {
    let raw = tape.dense(hidden, output).halves
    return (raw.left, tape.softplusScale(raw.right, minimum: configuration.minimumStandardDeviation))
  }

  private func noise(_ source: any NoiseSource, frame: Int, rows: Int, on tape: Tape) -> Tensor {
    let noise = tape.constant(rows: rows, columns: size)
    for row in 0..<rows {
      source.normals(.frame, frame: frame, row: row, slot: 0, into: noise.values + row * size, count: size)
    }
    return noise
  }

  /// Mean images [rows, H W].
  private func decode(_ features: Tensor, _ memory: Tensor, on tape: Tape) -> Tensor {
    tape.enter(.decoder)
    return tape.affine(nil, bias: background, adding: tape.images(of: tape.join(features, memory), decoder))
  }

  public func meanImages(of state: ObjectState, on tape: Tape) -> PaintedImages? { nil }

  public func count(_ frames: [FrameInference], examples: Int, in arithmetic: inout Arithmetic) {
    arithmetic.addRecurrence(
      frames: frames.count, examples: examples, rows: frames.first?.state.rowCount ?? 0, latents: size, configuration)
  }
}
