import Models
import Numerics
import Testing

/// AIR is SQAIR's first frame, frame by frame: the golden tests hold for it as far as they concern discovery.
@Suite struct AIRTests {
  private let file: GoldenFile
  private let sqair: SQAIRModel
  private let air: AIRModel

  /// AIR with those of the golden parameters that it has.
  init() throws {
    file = try GoldenFile()
    sqair = try file.model()
    air = AIRModel(configuration: file.configuration)
    for parameter in air.parameters.parameters {
      let theirs = try #require(sqair.parameters.parameter(parameter.name))
      air.parameters.write(microbatch(of: sqair.parameters.read(theirs), theirs), to: parameter)
    }
  }

  /// What AIR has of a parameter of SQAIR, which has more rows where discovery is conditioned on propagation.
  private func microbatch(of values: [Float], _ parameter: Parameter) -> [Float] {
    let n = file.configuration.hidden
    let extra: Range<Int>
    switch parameter.name {
    case "disc.rnn.ih.w": extra = n..<2 * n
    case "disc.prior.where.cond.w": extra = 4..<4 + n
    default: return values
    }
    let columns = values.count / parameter.shape[0]
    return Array(values[..<(extra.lowerBound * columns)] + values[(extra.upperBound * columns)...])
  }

  /// The golden frame t as a batch of its own.
  private func alone(_ t: Int, on tape: Tape) throws -> FrameBatch {
    let all = try file.batch(on: tape)
    return FrameBatch(
      frames: all.frames.slice(rows: t * all.examples..<(t + 1) * all.examples), frameCount: 1, examples: all.examples,
      particles: all.particles)
  }

  @Test func everyFrameIsAFirstOne() throws {
    let tape = Tape()
    var frames: [FrameInference] = []
    air.infer(try file.batch(on: tape), noise: try GoldenNoise(inference: file), on: tape, into: &frames)
    #expect(frames.count == file.frameCount)
    var objects = 0
    for (t, ours) in frames.enumerated() {
      var theirs: [FrameInference] = []
      let noise = NoiseOfFrame(t, of: try GoldenNoise(inference: file))
      sqair.infer(try alone(t, on: tape), noise: noise, on: tape, into: &theirs)
      #expect(ours.logLikelihood.array == theirs[0].logLikelihood.array, "frame \(t)")
      #expect(ours.logQ.array == theirs[0].logQ.array, "frame \(t)")
      #expect(ours.logP.array == theirs[0].logP.array, "frame \(t)")
      #expect(ours.discrete.array == theirs[0].discrete.array, "frame \(t)")
      #expect(ours.state.what.array == theirs[0].state.what.array, "frame \(t)")
      #expect(ours.state.whereLogits.array == theirs[0].state.whereLogits.array, "frame \(t)")
      for row in 0..<file.rowCount {
        #expect(ours.objectCount(row) == theirs[0].objectCount(row))
        #expect(ours.discoveredCount(row) == ours.objectCount(row) && ours.propagatedCount(row) == 0)
        // An identity is a place in the order of discovery.
        let boxes = ours.state.boxes(ofRow: row, file.configuration)
        #expect(boxes.map(\.id) == Array(0..<boxes.count))
        objects += boxes.count
      }
    }
    #expect(objects > file.rowCount)
  }

  /// The gradient of a sum over frames is the sum of the gradients of SQAIR on each frame.
  @Test func gradientsAreThoseOfFirstFrames() throws {
    func seed(_ frames: [FrameInference]) {
      for frame in frames {
        for row in 0..<file.rowCount { frame.seed(row, logWeight: 0.1 + 0.02 * Float(row), discrete: -0.3) }
      }
    }
    let tape = Tape()
    var frames: [FrameInference] = []
    air.infer(try file.batch(on: tape), noise: try GoldenNoise(inference: file), on: tape, into: &frames)
    tape.prepareBackward()
    seed(frames)
    tape.backward()
    let another = Tape()
    for t in 0..<file.frameCount {
      another.reset()
      let noise = NoiseOfFrame(t, of: try GoldenNoise(inference: file))
      sqair.infer(try alone(t, on: another), noise: noise, on: another, into: &frames)
      another.prepareBackward()
      seed(frames)
      another.backward()
    }
    for parameter in air.parameters.parameters {
      let theirs = try #require(sqair.parameters.parameter(parameter.name))
      let ours = air.parameters.read(parameter, from: UnsafeBufferPointer(air.parameters.gradients))
      let expected = microbatch(
        of: sqair.parameters.read(theirs, from: UnsafeBufferPointer(sqair.parameters.gradients)), theirs)
      let norm = expected.reduce(0) { $0 + Double($1 * $1) }.squareRoot()
      let apart = zip(ours, expected).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }.squareRoot()
      #expect(norm > 0, "\(parameter.name)")
      #expect(apart <= 1e-4 * norm, "\(parameter.name): \(apart) apart, norm \(norm)")
    }
  }

  /// It has what SQAIR has, but for everything that concerns propagation.
  @Test func parametersAreThoseOfDiscovery() {
    let ours = Set(air.parameters.parameters.map(\.name))
    let missing = Set(sqair.parameters.parameters.map(\.name)).subtracting(ours)
    let isOfPropagation = { (name: String) in
      ["prop.", "enc.mask.", "enc.latent.", "disc.prior.step_time_bias"].contains { name.hasPrefix($0) }
    }
    #expect(missing.allSatisfy(isOfPropagation) && !ours.contains(where: isOfPropagation))
    #expect(!missing.isEmpty)
  }

  /// Generated frames are first frames of SQAIR's.
  @Test func generatedFramesAreIndependent() throws {
    let tape = Tape(recording: false)
    var ours: [GeneratedFrame] = []
    air.generate(
      from: nil, rowCount: file.rowCount, frames: 0..<3, discovers: { _ in false },
      noise: try GoldenNoise(generation: file), on: tape, into: &ours)
    #expect(ours.count == 3)
    for (t, frame) in ours.enumerated() {
      var theirs: [GeneratedFrame] = []
      sqair.generate(
        from: nil, rowCount: file.rowCount, frames: 0..<1, discovers: { _ in true },
        noise: NoiseOfFrame(t, of: try GoldenNoise(generation: file)), on: tape, into: &theirs)
      #expect(frame.mean.array == theirs[0].mean.array)
      #expect(frame.state.whereLogits.array == theirs[0].state.whereLogits.array)
    }
    #expect(ours.contains { $0.state.count > 0 })
  }
}

/// Noise in which the first frame gets what another source gives to a later one.
private final class NoiseOfFrame: NoiseSource {
  private let frame: Int
  private let source: any NoiseSource

  init(_ frame: Int, of source: any NoiseSource) { (self.frame, self.source) = (frame, source) }

  func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    source.normals(latent, frame: self.frame + frame, row: row, slot: slot, into: out, count: count)
  }

  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    source.uniform(latent, frame: self.frame + frame, row: row, slot: slot)
  }
}
