extension VideoFile {
  /// Starts reading.
  ///
  /// - Parameters:
  ///   - frames: indices of the frames to read, from 0; nil for all. Frames before them are decoded and dropped, because
  ///     few formats tell where a frame begins.
  ///   - height: rows that each frame is scaled to.
  ///   - width: columns that each frame is scaled to.
  ///   - check: called several times a second while a frame is waited for; what it throws ends the reading.
  public func reader(
    frames: Range<Int>? = nil, height: Int, width: Int, check: @escaping () throws -> Void = {}
  ) throws -> VideoReader {
    try VideoReader(self, frames: frames, height: height, width: width, check: check)
  }
}
