import Report

/// One possible continuation of a sequence, behind the observed frames as the model reconstructs them.
package struct Continuation {
  /// [T] images.
  var frames: [[Float]]
  /// [T] lists of objects.
  var objects: [[GeneratedObject]]

  /// [T] lists of boxes as figures draw them.
  var boxes: [[SequenceFigure.Box]] { objects.map { $0.map { SequenceFigure.Box($0.box) } } }

  /// This one and another one behind it.
  func followed(by other: Self) -> Self {
    Self(frames: frames + other.frames, objects: objects + other.objects)
  }
}
