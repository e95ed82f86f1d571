/// What is known about one sequence besides its frames.
public struct SequenceTruth: Sendable {
  /// `[T]` objects in each frame.
  public var counts: [UInt8]
  /// `[T, M, 4]`: y, x, height, width in pixels, unclipped; zeros where absent.
  public var boxes: [Float]
  /// `[T, M]`: constant along a track, -1 where absent.
  public var ids: [Int32]
  /// `[M]`: class, 255 where absent.
  public var labels: [UInt8]
  /// Given exactly when the settings have its shape.
  public var scene: SequenceScene?
  /// Given exactly when the settings have slots for it.
  public var ignored: SequenceIgnored?

  public init(
    counts: [UInt8], boxes: [Float], ids: [Int32], labels: [UInt8], scene: SequenceScene? = nil,
    ignored: SequenceIgnored? = nil
  ) {
    self.counts = counts
    self.boxes = boxes
    self.ids = ids
    self.labels = labels
    self.scene = scene
    self.ignored = ignored
  }
}
