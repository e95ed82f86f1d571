/// One sequence of frames with its ground truth: what the sequence file stores for one index.
///
/// T frames of H x W pixels, M object slots; all arrays row-major. Lengths are in pixels, y runs down.
public struct DigitSequence: Sendable, Equatable {
  /// `[T, H, W]` grey levels, 0 = black.
  public var frames: [UInt8]
  /// `[T]` objects in each frame, on the canvas or beyond its border.
  public var counts: [UInt8]
  /// `[T, M, 4]` y, x, height, width of each object, not clipped to the canvas; zeros where absent.
  public var boxes: [Float]
  /// `[T, M]` identity of the object in that slot, constant along a track; -1 where absent.
  public var ids: [Int32]
  /// `[M]` class of the object in that slot; 255 where absent.
  public var labels: [UInt8]
  /// What the frames do not show; only in sequences made with occlusion.
  public var hidden: HiddenTruth?
}
