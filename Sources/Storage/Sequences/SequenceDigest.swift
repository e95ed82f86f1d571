/// A digest that is cheap to compute for any size of file, yet tells files of different making apart.
///
/// SHA-256 over, in this order: attributes `format`, `version`, `seed`, `generator`, `source`; the shapes of
/// all data sets; all of `/mean` and `/counts`; the first and the last sequence of `/frames`. It is not meant
/// to find damage in the frames between: Fletcher-32 does that on every read. Texts go in as byte count
/// (8 bytes, little-endian) and UTF-8 bytes, an absent attribute as nothing, integers as 8 bytes.
enum SequenceDigest {
  /// `sha256:` and 64 hexadecimal digits.
  static func compute(_ file: HDF5File) throws -> String {
    let digest = SHA256Digest()
    digest.add(SequenceFormat.name)
    digest.add(try file.unsignedAttribute("version"))
    if try file.hasAttribute("seed") { digest.add(try file.unsignedAttribute("seed")) }
    for name in ["generator", "source"] where try file.hasAttribute(name) { digest.add(try file.textAttribute(name)) }

    let paths = ["/frames", "/mean", "/counts", "/boxes", "/ids", "/labels"] + SequenceFormat.scenePaths
    for path in paths where try file.contains(path) {
      let shape = try file.dataSet(path).shape
      digest.add(array: path, shape: shape, values: [UInt8]())
    }
    let mean = try file.readFloats("/mean")
    digest.add(array: "/mean", shape: mean.shape, values: mean.values)
    if try file.contains("/counts") {
      let counts = try file.dataSet("/counts")
      digest.add(array: "/counts", shape: counts.shape, values: try counts.readAll(as: UInt8.self))
    }
    let frames = try file.dataSet("/frames")
    var sequence = [UInt8](repeating: 0, count: frames.shape.dropFirst().reduce(1, *))
    for index in [0, frames.shape[0] - 1] {
      try frames.read(outer: index..<index + 1, into: &sequence)
      sequence.withUnsafeBytes { digest.add($0) }
    }
    return "sha256:" + digest.finish()
  }
}
