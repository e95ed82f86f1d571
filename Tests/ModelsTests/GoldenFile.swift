import Foundation
import Models
import Numerics
import Storage
import Testing

/// Reference numbers of an independent float64 implementation; all sizes come from the file.
///
/// `SQAIR_GOLDEN` names the file; without it the tests read their copy (the same numbers, stored as float32).
final class GoldenFile {
  let configuration: SQAIRConfiguration
  let frameCount: Int
  let examples: Int
  let particles: Int
  let conditionedFrames: Int
  /// The estimator of `/out/target` and `/grads`; `/proper_vimco` always is the textbook's.
  let estimator: Estimator
  private let file: HDF5File
  private let path: String

  var rowCount: Int { examples * particles }
  var slots: Int { configuration.slots }

  init() throws {
    path =
      ProcessInfo.processInfo.environment["SQAIR_GOLDEN"]
      ?? Bundle.module.path(forResource: "golden", ofType: "h5", inDirectory: "Fixtures")!
    let file = try HDF5File(reading: path)
    self.file = file
    func number(_ name: String) throws -> Double { try file.doubleAttribute("config." + name) }
    func integer(_ name: String) throws -> Int { Int(try number(name)) }
    let image = try file.doublesAttribute("config.img").values.map { Int($0) }
    let glimpse = try file.doublesAttribute("config.glimpse").values.map { Int($0) }
    var c = SQAIRConfiguration()
    (c.height, c.width) = (image[0], image[1])
    (c.glimpseHeight, c.glimpseWidth) = (glimpse[0], glimpse[1])
    c.hidden = try 32 * integer("n_units")
    c.what = try integer("n_what")
    c.slots = try integer("n_steps")
    c.maskHidden = try integer("mask_hidden")
    c.whereBiasHidden = try integer("where_bias_hidden")
    c.wherePriorHidden = try integer("prior_hidden")
    c.outputStandardDeviation = try Float(number("output_std"))
    c.outputScale = try Float(number("output_scale"))
    c.transformVarianceBias = try Float(number("transform_var_bias"))
    c.scalePrior = try Float(number("scale_prior"))
    c.discoveryStepBias = try Float(number("disc_step_bias"))
    c.propagationStepBias = try Float(number("prop_step_bias"))
    c.propagationPriorStepBias = try Float(number("prop_prior_step_bias"))
    c.stepTimeBias = try Float(number("step_time_bias"))
    c.whereUpdateScale = try Float(number("where_update_scale"))
    c.maskDiscovery = try file.integerAttribute("config.mask_discovery") != 0
    configuration = c
    particles = try integer("k_particles")
    frameCount = try Int(file.integerAttribute("T"))
    examples = try Int(file.integerAttribute("B"))
    estimator = try file.textAttribute("config.vimco") == "proper" ? .textbook : .published
    conditionedFrames = try Int(file.integerAttribute("gen.n_cond"))
  }

  func array(_ path: String) throws -> GoldenArray {
    let (shape, values) = try file.readDoubles(path)
    return GoldenArray(name: path, shape: shape, values: values)
  }

  func names(below group: String) throws -> [String] {
    try file.dataSets(below: group).map {
      $0.split(separator: "/").dropFirst(group.split(separator: "/").count).joined(separator: "/")
    }
  }

  /// A model with the file's parameters.
  func model() throws -> SQAIRModel {
    let model = SQAIRModel(configuration: configuration)
    let names = try Set(names(below: "/params"))
    #expect(names == Set(model.parameters.parameters.map(\.name)))
    for parameter in model.parameters.parameters {
      let values = try array("params/" + parameter.name)
      #expect(values.shape == parameter.shape, "\(parameter.name)")
      model.parameters.write(values.values.map { Float($0) }, to: parameter)
    }
    return model
  }

  /// The first `count` frames as a batch.
  func batch(frames count: Int? = nil, on tape: Tape) throws -> FrameBatch {
    let images = try array("images")
    let count = count ?? frameCount
    let pixels = configuration.height * configuration.width
    let frames = tape.constant(rows: count * examples, columns: pixels)
    for place in 0..<count * examples * pixels { frames.values[place] = Float(images.values[place]) }
    return FrameBatch(frames: frames, frameCount: count, examples: examples, particles: particles)
  }
}

/// SQAIR always tells how it came to its results.
extension FrameInference {
  private var propagation: PropagationDetails { details!.propagation! }
  var previous: ObjectState { propagation.previous }
  var propagated: Propagation.Output { propagation.propagated }
  var summary: Tensor? { propagation.summary }
  var expected: Tensor { propagation.expected }
  var mergeSource: Index { propagation.mergeSource }
  var discovered: Discovery.Output { details!.discovered }
  var drawn: FrameDecoder.Output { details!.drawn }
}

/// An array of the file, row-major.
struct GoldenArray {
  let name: String
  let shape: [Int]
  let values: [Double]

  subscript(_ place: Int...) -> Double { self[place] }

  subscript(_ place: [Int]) -> Double {
    var offset = 0
    for (extent, index) in zip(shape, place) { offset = offset * extent + index }
    return values[offset]
  }
}

/// The file's noise: for inference `noise/...`, for generation `gen_noise/...`, indexed by absolute frame.
final class GoldenNoise: NoiseSource {
  private var arrays: [Latent: GoldenArray] = [:]

  init(inference file: GoldenFile) throws {
    let names: [Latent: String] = [
      .propagationWhere: "prop_where", .propagationWhat: "prop_what", .propagationPresence: "prop_pres",
      .discoveryWhere: "disc_where", .discoveryWhat: "disc_what", .discoveryPresence: "disc_pres",
    ]
    arrays = try names.mapValues { try file.array("noise/" + $0) }
  }

  init(generation file: GoldenFile) throws {
    let names: [Latent: String] = [
      .propagationWhere: "gen_prop_where", .propagationWhat: "gen_prop_what", .propagationPresence: "gen_prop_pres",
      .discoveryWhere: "gen_disc_where", .discoveryWhat: "gen_disc_what", .discoveryCount: "gen_disc_num",
    ]
    arrays = try names.mapValues { try file.array("gen_noise/" + $0) }
  }

  func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    let array = arrays[latent]!
    for element in 0..<count { out[element] = Float(array[frame, row, slot, element]) }
  }

  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    let array = arrays[latent]!
    return Float(latent == .discoveryCount ? array[frame, row] : array[frame, row, slot])
  }
}
