import CKernels
import Foundation

/// Random numbers as a function of what they are used for: a seed, a purpose, a step and a counter.
///
/// Nothing here has a state that advances, so the numbers do not depend on how many processes draw
/// them, in which order, or whether a run was interrupted. The generator is Philox4x32-10.
public struct CounterRandom: Sendable {
  /// What the numbers are used for. Different purposes never share a number.
  public enum Purpose: UInt64, Sendable {
    case initialization = 1
    case batchOrder = 2
    case inference = 3
    case evaluation = 4
    case generation = 5
    case digits = 6
    case motion = 7
    case crops = 8
  }

  /// The Philox key, a hash of seed, purpose and step.
  let key: (UInt32, UInt32)

  public init(seed: UInt64, purpose: Purpose, step: UInt64 = 0) {
    // SplitMix64 finaliser after each ingredient, so that neighbouring seeds and steps are unrelated.
    func mixed(_ x: UInt64) -> UInt64 {
      var z = x &+ 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    let hash = mixed(mixed(mixed(seed) ^ purpose.rawValue) ^ step)
    key = (UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32))
  }

  /// The four words at one counter.
  public func words(_ c0: UInt32, _ c1: UInt32 = 0, _ c2: UInt32 = 0, _ c3: UInt32 = 0) -> SIMD4<UInt32> {
    var counter = (c0, c1, c2, c3)
    var out = SIMD4<UInt32>()
    withKey { key in
      withUnsafeBytes(of: &counter) { counter in
        withUnsafeMutableBytes(of: &out) { out in
          kernel_philox(
            key, counter.baseAddress!.assumingMemoryBound(to: UInt32.self),
            out.baseAddress!.assumingMemoryBound(to: UInt32.self))
        }
      }
    }
    return out
  }

  /// Fills `out` with standard normals that belong to the counter (c1, c2, c3).
  public func normals(_ c1: UInt32, _ c2: UInt32, _ c3: UInt32, into out: UnsafeMutablePointer<Float>, count: Int) {
    withKey { kernel_normals($0, c1, c2, c3, out, Int64(count)) }
  }

  /// Fills `out` with uniforms in [0, 1) that belong to the counter (c1, c2, c3).
  public func uniforms(_ c1: UInt32, _ c2: UInt32, _ c3: UInt32, into out: UnsafeMutablePointer<Float>, count: Int) {
    withKey { kernel_uniforms($0, c1, c2, c3, out, Int64(count)) }
  }

  /// A sequential reader of the numbers that belong to the counter (c1, c2, c3).
  public func reader(_ c1: UInt32, _ c2: UInt32 = 0, _ c3: UInt32 = 0) -> Reader {
    Reader(random: self, counter: (c1, c2, c3))
  }

  private func withKey<R>(_ body: (UnsafePointer<UInt32>) -> R) -> R {
    withUnsafeBytes(of: key) { body($0.baseAddress!.assumingMemoryBound(to: UInt32.self)) }
  }

  /// Reads one counter's numbers one after another, for code that needs an unknown number of them.
  public struct Reader: RandomNumberGenerator {
    let random: CounterRandom
    let counter: (UInt32, UInt32, UInt32)
    private var block: UInt32 = 0
    private var words = SIMD4<UInt32>()
    private var used = 4

    init(random: CounterRandom, counter: (UInt32, UInt32, UInt32)) {
      self.random = random
      self.counter = counter
    }

    public mutating func nextWord() -> UInt32 {
      if used == 4 {
        words = random.words(block, counter.0, counter.1, counter.2)
        block += 1
        used = 0
      }
      defer { used += 1 }
      return words[used]
    }

    public mutating func next() -> UInt64 {
      let low = UInt64(nextWord())
      return UInt64(nextWord()) << 32 | low
    }

    /// Uniform in [0, 1) with 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in [low, high).
    public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// Uniform over 0..<bound, without modulo bias beyond 2^-64.
    public mutating func index(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// Standard normal (Box-Muller, the cosine half).
    public mutating func normal() -> Double {
      let radius = (-2 * log(1 - uniform())).squareRoot()
      return radius * cos(2 * Double.pi * uniform())
    }
  }
}
