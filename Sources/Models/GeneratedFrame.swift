import Numerics

/// One generated frame.
public struct GeneratedFrame: BitwiseCopyable {
  /// The objects of the frame.
  public let state: ObjectState
  /// Mean images [N, H W].
  public let mean: PaintedImages
  /// How a model with objects drew them.
  package let drawn: FrameDecoder.Output?
  /// What each object looks like [objects, Gh Gw]; nil in a model without objects.
  public var glimpses: Tensor? { drawn?.glimpses }
}
