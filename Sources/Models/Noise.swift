import Numerics

/// What a random number is for, within one frame of one row.
public enum Latent: UInt32, Sendable {
  case propagationWhere = 0
  case propagationWhat
  case propagationPresence
  case discoveryWhere
  case discoveryWhat
  case discoveryPresence
  /// The number of new objects, when sampling from the prior.
  case discoveryCount
  /// The latent vector of a frame, in a model without objects.
  case frame
}

/// Gives every random choice of the model its number.
///
/// The slot is the object's position in the state of the frame before (propagation) or among the discovered ones; the
/// row is example * particles + particle of the batch.
public protocol NoiseSource: AnyObject {
  /// Writes `count` standard normals.
  func normals(_ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int)

  /// A uniform number in [0, 1).
  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float
}

/// Noise keyed by (seed, purpose, step, example, particle, frame, slot, latent): the same number for
/// the same choice on whichever process and in whatever batch it is made.
public final class CounterNoise: NoiseSource {
  private let seed: UInt64
  private let purpose: CounterRandom.Purpose
  private var random: CounterRandom
  private var examples: UnsafeBufferPointer<UInt32>
  private var particles: Int
  private let firstParticle: Int

  /// - Parameters:
  ///   - examples: a number for each example of the batch that identifies it in the whole of the step
  ///     or the file; must outlive the source.
  ///   - particles: rows for each example.
  ///   - firstParticle: the number of the first of them, when the particles of an example come in parts.
  public init(
    seed: UInt64, purpose: CounterRandom.Purpose, step: UInt64 = 0, examples: UnsafeBufferPointer<UInt32>,
    particles: Int, firstParticle: Int = 0
  ) {
    self.seed = seed
    self.purpose = purpose
    random = CounterRandom(seed: seed, purpose: purpose, step: step)
    self.examples = examples
    self.particles = particles
    self.firstParticle = firstParticle
  }

  /// Switches to another step, other examples and another number of particles; everything else stays.
  public func use(step: UInt64, examples: UnsafeBufferPointer<UInt32>, particles: Int) {
    self.particles = particles
    random = CounterRandom(seed: seed, purpose: purpose, step: step)
    self.examples = examples
  }

  public func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    let (c1, c2, c3) = counter(latent, frame, row, slot)
    random.normals(c1, c2, c3, into: out, count: count)
  }

  public func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    let (c1, c2, c3) = counter(latent, frame, row, slot)
    return Float(random.words(0, c1, c2, c3)[0] >> 8) * 0x1p-24
  }

  private func counter(_ latent: Latent, _ frame: Int, _ row: Int, _ slot: Int) -> (UInt32, UInt32, UInt32) {
    (
      latent.rawValue | UInt32(slot) << 8 | UInt32(frame) << 16, UInt32(firstParticle + row % particles),
      examples[row / particles]
    )
  }
}
