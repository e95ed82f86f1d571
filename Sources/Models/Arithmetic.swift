import Numerics

/// The least arithmetic that inferring some objects needs, forwards and backwards, in floating-point operations.
///
/// Only matrix products count, each with the rows that are live: what is present, or drawn up to the first failure. A
/// product of r rows with a weight [in, out] takes 2 r in out forwards, as much for the weight's gradient, and as much
/// again for the gradient of its input unless that is data.
public struct Arithmetic: Sendable {
  /// Operations of each part.
  public private(set) var operations = [Double](repeating: 0, count: ModelPart.allCases.count)

  public var total: Double { operations.reduce(0, +) }

  public subscript(_ part: ModelPart) -> Double { operations[part.rawValue] }

  private mutating func add(_ part: ModelPart, rows: Int, _ inputs: Int, _ outputs: Int, passes: Double = 3) {
    operations[part.rawValue] += 2 * passes * Double(rows) * Double(inputs) * Double(outputs)
  }

  /// No arithmetic at all.
  public init() {}

  /// Back to no arithmetic; the memory is kept.
  public mutating func clear() {
    for part in operations.indices { operations[part] = 0 }
  }

  /// Logits of an object's place: scale and shift in x and y.
  private static let whereSize = 4

  /// Adds the least arithmetic of one batch of a model with objects.
  mutating func add(objectsIn frames: [FrameInference], examples: Int, _ c: SQAIRConfiguration) {
    let images = examples * frames.count
    addImages(images, c)
    // The code of a frame times its rows of disc.rnn.
    add(.imageEncoder, rows: images, c.hidden, c.hidden)
    for frame in frames {
      guard let details = frame.details else { continue }
      if let propagation = details.propagation { addPropagation(propagation, c) }
      addDiscovery(
        details.discovered, rows: frame.state.rowCount, followsPropagation: details.propagation != nil, c)
      add(.decoder, rows: frame.state.count, ImageDecoder.products(inputs: c.what, c.glimpseGrid, c), 1)
    }
  }

  private mutating func addDiscovery(
    _ discovered: Discovery.Output, rows: Int, followsPropagation: Bool, _ c: SQAIRConfiguration
  ) {
    let n = c.hidden, appearance = c.what
    let step = DiscoveryStepInput(c, followsPropagation: followsPropagation)
    let conditioning = ConditioningInput(c, followsPropagation: followsPropagation)
    let draws = discovered.rows.count
    // disc.rnn: the slot before and its state, for all slots but the first.
    let previous = step.previousWhat.through(step.previousPresence)
    add(.discovery, rows: max(0, draws - rows), previous.size + n, n)
    // disc.where: two layers, then location and scale.
    add(.discovery, rows: draws, n, n + n + 2 * Self.whereSize)
    // enc.glimpse and enc.glimpse.out
    addLook(.discovery, rows: draws, c)
    add(.discovery, rows: draws, n, 2 * appearance)
    // disc.pres
    add(.discovery, rows: draws, n + appearance, n / 2)
    add(.discovery, rows: draws, n / 2, 1)
    // disc.prior.where: conditioning, then the step from its hidden units.
    let finders = (0..<rows).count { discovered.counts[$0] > 0 }
    add(.discoveryPrior, rows: finders, conditioning.summary.through(conditioning.expected).size, c.wherePriorHidden)
    add(.discoveryPrior, rows: finders, c.wherePriorHidden, Self.whereSize)
    // disc.prior.step
    let countHidden = 10
    add(.discoveryPrior, rows: rows, 1, countHidden)
    add(.discoveryPrior, rows: rows, countHidden, c.slots + 1)
  }

  private mutating func addPropagation(_ details: PropagationDetails, _ c: SQAIRConfiguration) {
    let n = c.hidden, appearance = c.what
    let step = PropagationStepInput(c), temporal = TemporalInput(c)
    let old = details.previous.count
    let later = old - details.previous.range(ofSlot: 0).count
    // enc.glimpse, at the place before and at the new one. Of the first glimpse only the location is used.
    for _ in 0..<2 { addLook(.propagation, rows: old, c) }
    add(.propagation, rows: old, n, appearance)
    add(.propagation, rows: old, n, 2 * appearance)
    if c.refinesPosition {
      // prop.refine: one more glimpse, of which only the location is used.
      addLook(.propagation, rows: old, c)
      add(.propagation, rows: old, n, appearance)
      add(.propagation, rows: old, n + appearance + n, n)
      add(.propagation, rows: old, n, 2 * Self.whereSize)
    }
    // enc.mask and prop.where_bias
    add(.propagation, rows: old, n, c.maskHidden + c.whereBiasHidden)
    add(.propagation, rows: old, c.maskHidden, c.glimpseGrid.elements)
    add(.propagation, rows: old, c.whereBiasHidden, Self.whereSize)
    // prop.rnn: what is seen and the frame before; the slot before and its state, for all slots but the first.
    add(.propagation, rows: old, step.seen.size + step.past.size, n)
    add(.propagation, rows: later, step.previousSlot.size + n, n)
    // prop.where: step, place before and temporal state; then a layer, location and scale.
    add(.propagation, rows: old, n + Self.whereSize + n, n)
    add(.propagation, rows: old, n, n + 2 * Self.whereSize)
    // prop.temporal: the three gates of a recurrent unit.
    add(.propagation, rows: old, temporal.all.size + n, 3 * n)
    // prop.what and prop.gates
    add(.propagation, rows: old, n, 2 * appearance + 3 * appearance)
    // prop.pres
    add(.propagation, rows: old, n + n + appearance, n / 2)
    add(.propagation, rows: old, n / 2, 1)
    // prop.prior: a recurrent unit, then presence and the location and scale of place and appearance.
    add(.propagationPrior, rows: old, appearance + Self.whereSize + n, 3 * n)
    add(.propagationPrior, rows: old, n, 1 + 2 * (Self.whereSize + appearance))
    if c.motionFrames > 0 { add(.propagationPrior, rows: old, n, 2) }

    // enc.latent, and the summary's rows of disc.rnn
    let survivors = (0..<old).count { details.propagated.posterior.presence[$0, 0] > 0 }
    add(.discovery, rows: survivors, appearance + Self.whereSize, n)
    add(.discovery, rows: survivors, n, n)
    if survivors > 0 { add(.discovery, rows: details.previous.rowCount, n, n) }
  }

  /// Adds what inferring some frames of each of some examples takes in a VRNN.
  mutating func addRecurrence(frames: Int, examples: Int, rows: Int, latents: Int, _ c: SQAIRConfiguration) {
    let n = c.hidden
    let images = examples * frames
    let all = rows * frames
    addImages(images, c)
    add(.recurrence, rows: images, n, n)
    add(.recurrence, rows: all, n, n + n)
    add(.recurrence, rows: all, n, 4 * latents)
    add(.recurrence, rows: all, latents, n)
    add(.recurrence, rows: all, n + n + n, 3 * n)
    add(.decoder, rows: all, ImageDecoder.products(inputs: n + n, c.imageGrid, c), 1)
  }

  /// Encoding frames: those are data, so the first layer passes no gradient on.
  private mutating func addImages(_ images: Int, _ c: SQAIRConfiguration) {
    var passes = 2.0
    ImageEncoder.forEachLayer(c.imageGrid, c) {
      add(.imageEncoder, rows: images, $0, 1, passes: passes)
      passes = 3
    }
  }

  private mutating func addLook(_ part: ModelPart, rows: Int, _ c: SQAIRConfiguration) {
    ImageEncoder.forEachLayer(c.glimpseGrid, c) { add(part, rows: rows, $0, 1) }
  }
}
