import Dispatch

/// The time that a tape's operations take, by part. Parts are numbers that the model chooses.
public final class Profile {
  /// Seconds of the forward and the backward pass, by part.
  public private(set) var forward: [Double]
  public private(set) var backward: [Double]
  /// The part that runs; nil outside of the model.
  private var part: Int?
  private var since = Profile.now
  private var isBackward = false

  public init(parts: Int) {
    forward = Array(repeating: 0, count: parts)
    backward = forward
  }

  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// Adds the time since the last call to the part that it was spent in.
  ///
  /// - Parameter next: the part that begins; nil if the model's work is done.
  func enter(_ next: Int?, isBackward nextIsBackward: Bool) {
    let time = Self.now
    let seconds = Double(time - since) * 1e-9
    if let part {
      if isBackward { backward[part] += seconds } else { forward[part] += seconds }
    }
    (part, isBackward, since) = (next, nextIsBackward, time)
  }

  /// Resumes after `pause`, in a part's forward pass.
  public func resume(_ part: Int) {
    (self.part, isBackward, since) = (part, false, Self.now)
  }

  /// Adds the time so far; the time until `resume` belongs to no part.
  public func pause() { enter(part, isBackward: isBackward) }

  /// Sets all times to zero.
  public func clear() {
    for part in forward.indices { (forward[part], backward[part]) = (0, 0) }
    part = nil
  }
}
