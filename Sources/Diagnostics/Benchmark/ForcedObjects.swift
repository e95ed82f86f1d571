import Models
import Numerics

/// Noise with which each row discovers a given number of objects in the first frame and keeps them to the last; a model
/// with independent frames discovers them in every frame.
///
/// The amount of work depends on the number of objects. This noise chooses it, whatever the parameters are.
final class ForcedObjects: NoiseSource {
  private let objects: Double
  private let isDense: Bool
  /// Whether objects are discovered in every frame, because frames are independent.
  var findsInEveryFrame = false
  private let random = CounterRandom(seed: 0, purpose: .inference)

  /// - Parameter objects: the mean over rows; a fraction is spread evenly over them.
  init(objects: Double) { (self.objects, isDense) = (objects, false) }

  private init() { (objects, isDense) = (.infinity, true) }

  /// Noise with which every draw succeeds: each slot is live in discovery and in propagation, at every frame. This is
  /// the work of a program that computes all slots and masks absent ones.
  static func everySlot() -> ForcedObjects { ForcedObjects() }

  /// Objects of a row: the mean rounded up or down, so that the rows together have the given mean.
  private func objects(ofRow row: Int) -> Int { Int(Double(row + 1) * objects) - Int(Double(row) * objects) }

  func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    random.normals(
      latent.rawValue | UInt32(slot) << 8 | UInt32(frame) << 16, UInt32(row), 0, into: out, count: count)
  }

  /// Below or above every probability.
  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    if isDense || latent == .propagationPresence { return -1 }
    return (frame == 0 || findsInEveryFrame) && slot < objects(ofRow: row) ? -1 : 2
  }
}
