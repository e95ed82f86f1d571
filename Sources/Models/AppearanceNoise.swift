/// Noise of another source, in which that of the appearance of propagated objects is multiplied by a factor.
///
/// With a factor below 1, generated objects change their appearance less than the prior says; with 0 it is the prior's
/// mean in each frame.
public final class AppearanceNoise: NoiseSource {
  private let source: any NoiseSource
  private let factor: Float

  /// - Parameters:
  ///   - source: the noise of all variables.
  ///   - factor: at least 0; 1 leaves the noise as it is, and 0 removes that of the appearance of propagated objects.
  public init(_ source: any NoiseSource, factor: Float) {
    self.source = source
    self.factor = factor
  }

  public func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    source.normals(latent, frame: frame, row: row, slot: slot, into: out, count: count)
    guard latent == .propagationWhat else { return }
    for element in 0..<count { out[element] *= factor }
  }

  public func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float {
    source.uniform(latent, frame: frame, row: row, slot: slot)
  }
}
