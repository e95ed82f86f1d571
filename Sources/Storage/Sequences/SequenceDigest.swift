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

    let paths =
      ["/frames", "/mean", "/counts", "/boxes", "/ids", "/labels"] + SequenceFormat.scenePaths
      + SequenceFormat.ignoredPaths
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
    // Some frames at a time: a sequence may be a long video.
    let (length, pixels) = (frames.shape[1], frames.shape[2] * frames.shape[3])
    let step = max(1, min(length, (8 << 20) / max(1, pixels)))
    var bytes = [UInt8](repeating: 0, count: step * pixels)
    for index in [0, frames.shape[0] - 1] {
      for first in stride(from: 0, to: length, by: step) {
        let count = min(step, length - first)
        try frames.read(outer: index..<index + 1, inner: first..<first + count, into: &bytes)
        bytes.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0[..<(count * pixels)])) }
      }
    }
    return "sha256:" + digest.finish()
  }

  /// 64 hexadecimal digits over mean frame and counts: what a run learns from besides the frames.
  ///
  /// - Parameters:
  ///   - mean: `[H, W]`, of the first `shape`.
  ///   - counts: `[N, T]`, of the second `shape`; nil if they are not known.
  static func ofMeanAndCounts(_ mean: [Float], shape: [Int], counts: [UInt8]?, shape countShape: [Int]) -> String {
    let digest = SHA256Digest()
    digest.add(array: "/mean", shape: shape, values: mean)
    if let counts { digest.add(array: "/counts", shape: countShape, values: counts) }
    return digest.finish()
  }
}
