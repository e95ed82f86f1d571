import Evaluation
import Models
import Numerics
import Runs
import Training

/// Noise with which each row finds a given number of objects in the first frame and keeps them to the end; or, for a model
/// that keeps none, finds them in every frame.
///
/// How much work a model has depends on how many objects it finds. Here that is chosen, whatever its parameters are.
final class ForcedObjects: NoiseSource {
  private let objects: Double
  private let isDense: Bool
  /// Whether there is no first frame, because frames are independent.
  var findsInEveryFrame = false
  private let random = CounterRandom(seed: 0, purpose: .inference)

  /// - Parameter objects: the mean over rows; a fraction is shared out evenly.
  init(objects: Double) { (self.objects, isDense) = (objects, false) }

  private init() { (objects, isDense) = (.infinity, true) }

  /// Every draw succeeds: each slot is live in discovery, at every frame, as well as in propagation. This is what a
  /// program computes that works on all slots and masks what is absent.
  static func everySlot() -> ForcedObjects { ForcedObjects() }

  /// Objects of a row: the mean rounded up or down, so that the mean over rows comes out.
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
