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

  /// Adds the least arithmetic of one batch of a model with objects.
  mutating func add(objectsIn frames: [FrameInference], examples: Int, _ c: SQAIRConfiguration) {
    let n = c.hidden
    let d = c.what
    let images = examples * frames.count
    addImages(images, c)
    add(.imageEncoder, rows: images, n, n)
    for frame in frames {
      guard let details = frame.details else { continue }
      let rows = frame.state.rowCount
      // Without propagation discovery is conditioned on nothing.
      let summary = details.propagation == nil ? 0 : n
      if let propagation = details.propagation { addPropagation(propagation, c) }
      let discovered = details.discovered
      let draws = discovered.rows.count
      add(.discovery, rows: max(0, draws - rows), d + 4 + 1 + n, n)
      add(.discovery, rows: draws, n, n + n + 8)
      addLook(.discovery, rows: draws, c)
      add(.discovery, rows: draws, n, 2 * d)
      add(.discovery, rows: draws, n + d, n / 2)
      add(.discovery, rows: draws, n / 2, 1)
      let finders = (0..<rows).count { discovered.counts[$0] > 0 }
      add(.discoveryPrior, rows: finders, summary + 1, c.wherePriorHidden)
      add(.discoveryPrior, rows: finders, c.wherePriorHidden, 4)
      add(.discoveryPrior, rows: rows, 1, 10)
      add(.discoveryPrior, rows: rows, 10, c.slots + 1)

      add(.decoder, rows: frame.state.count, ImageDecoder.products(inputs: d, c.glimpseGrid, c), 1)
    }
  }

  private mutating func addPropagation(_ details: PropagationDetails, _ c: SQAIRConfiguration) {
    let n = c.hidden
    let d = c.what
    let cells = c.glimpseGrid.elements
    let old = details.previous.count
    let later = old - details.previous.range(ofSlot: 0).count
    for _ in 0..<2 { addLook(.propagation, rows: old, c) }
    add(.propagation, rows: old, n, d)
    add(.propagation, rows: old, n, 2 * d)
    add(.propagation, rows: old, n, c.maskHidden + c.whereBiasHidden)
    add(.propagation, rows: old, c.maskHidden, cells)
    add(.propagation, rows: old, c.whereBiasHidden, 4)
    add(.propagation, rows: old, d + d + 4 + 1 + n, n)
    add(.propagation, rows: later, d + 4 + 1 + n, n)
    add(.propagation, rows: old, n + 4 + n, n)
    add(.propagation, rows: old, n, n + 8)
    add(.propagation, rows: old, n + 4 + 2 * d + n, 3 * n)
    add(.propagation, rows: old, n, 5 * d)
    add(.propagation, rows: old, n + n + d, n / 2)
    add(.propagation, rows: old, n / 2, 1)
    add(.propagationPrior, rows: old, d + 4 + n, 3 * n)
    add(.propagationPrior, rows: old, n, 1 + 2 * (4 + d))

    let survivors = (0..<old).count { details.propagated.posterior.presence[$0, 0] > 0 }
    add(.discovery, rows: survivors, d + 4, n)
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
