/// Memory that a tape takes before it asks the system for more: memory that other processes see, so that they can read
/// what it holds.
public final class TapeMemory {
  private var region = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var used = 0
  /// Whether the tape has needed more than there is.
  private(set) var isExceeded = false

  public init() {}

  /// Gives the tape another region, which begins at a page. It takes effect at the tape's `returnMemory`.
  public func use(_ region: UnsafeMutableRawBufferPointer) {
    self.region = region
    (used, isExceeded) = (0, false)
  }

  /// Whether something lies in the region.
  func contains(_ address: UnsafeRawPointer) -> Bool {
    guard let start = region.baseAddress else { return false }
    return address >= UnsafeRawPointer(start) && address < UnsafeRawPointer(start) + region.count
  }

  /// A part of the region; nil if there is not as much left.
  func take(bytes: Int) -> UnsafeMutableRawPointer? {
    let size = (bytes + 4095) / 4096 * 4096
    guard used + size <= region.count else {
      isExceeded = true
      return nil
    }
    defer { used += size }
    return region.baseAddress! + used
  }
}
