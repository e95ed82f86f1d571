/// An array of bytes with its shape, read as a whole from MNIST's IDX format (gzipped or plain).
public struct IDXFile: Sendable {
  /// The lengths of the dimensions, outermost first.
  public let shape: [Int]
  /// The elements, row-major.
  public let bytes: [UInt8]

  /// Reads a whole file and refuses one that is not exactly what its header says.
  ///
  /// - Parameters:
  ///   - path: the file; gzip is recognised by its content.
  ///   - dimensions: the number of dimensions the file must have: 3 for images, 1 for labels.
  /// - Throws: ``MovingDigitsError`` with the path, the byte counts and the next action.
  public init(path: String, dimensions: Int) throws {
    let reader = try IDXReader(path: path, dimensions: dimensions)
    shape = reader.shape
    // Grows as it is read, so that a wrong header costs no memory.
    var bytes: [UInt8] = []
    let total = shape.reduce(1, *)
    while bytes.count < total {
      var piece = [UInt8](repeating: 0, count: min(total - bytes.count, 1 << 22))
      try reader.readEntry(into: &piece)
      bytes += piece
    }
    try reader.finish()
    self.bytes = bytes
  }
}
