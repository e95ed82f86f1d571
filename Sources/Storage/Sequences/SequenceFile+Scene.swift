/// What is in the sequences although their frames do not show it.
extension SequenceFile {
  public var hasVisible: Bool { scene.visible != nil }
  public var hasUnoccluded: Bool { scene.unoccluded != nil }
  /// Bars of each sequence, B.
  public var barCount: Int { scene.bars?.shape[1] ?? 0 }
  /// Rows and columns of an object's ink, or nil where the file does not have it.
  public var inkShape: (height: Int, width: Int)? { scene.ink.map { ($0.shape[2], $0.shape[3]) } }

  /// Reads how much of each object is seen: `count * M` shares. Needs `hasVisible`.
  public func readVisible(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Float>) throws {
    let visible = try require(scene.visible, "/visible")
    try visible.read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
    try requireFinite(out, count * visible.shape[2], "/visible", sequence)
  }

  private func requireFinite(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ part: String, _ sequence: Int)
    throws
  {
    guard !UnsafeMutableBufferPointer(start: values, count: count).allSatisfy({ abs($0) <= 1e6 }) else { return }
    throw StorageError(
      file: path, part: part, problem: "sequence \(sequence) has values that are no lengths or shares",
      hint: "Create the file again.")
  }

  /// Reads each object alone: `M * h * w` bytes. Needs `inkShape`.
  public func readInk(of sequence: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(scene.ink, "/ink").read(outer: sequence..<sequence + 1, into: out)
  }

  /// Reads y, x, height, width of the bars: `B * 4` floats. Needs `barCount` above 0.
  public func readBars(of sequence: Int, into out: UnsafeMutablePointer<Float>) throws {
    try require(scene.bars, "/bars").read(outer: sequence..<sequence + 1, into: out)
    try requireFinite(out, barCount * 4, "/bars", sequence)
  }

  /// Reads frames without bars: `count * H * W` bytes. Needs `hasUnoccluded`.
  public func readUnoccluded(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(scene.unoccluded, "/unoccluded")
      .read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }
}
