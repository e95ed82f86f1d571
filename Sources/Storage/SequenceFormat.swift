/// Rules of the sequence format that reader and writer share: shapes and the digest.

/// Opens data sets of one sequence file and compares types and shapes with what the format says.
struct SequenceShapes {
  let file: HDF5File

  /// Opens a data set whose dimensions must be `shape`; nil stands for any length.
  func open(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet {
    let set = try file.dataSet(path)
    guard set.type == type else {
      throw error(
        path, "it holds \(set.type.name) where the format says \(type.name)", "Convert it, or make the file again.")
    }
    let fits = set.shape.count == shape.count && zip(set.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
    guard fits else {
      let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw error(
        path, "its shape is \(set.shape) where [\(expected)] was expected",
        "Shapes must agree with /frames and with each other; make the file again.")
    }
    return set
  }

  func openIfPresent(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet? {
    try file.contains(path) ? open(path, type, shape) : nil
  }

  func error(_ part: String, _ problem: String, _ hint: String) -> StorageError {
    StorageError(file: file.path, part: part, problem: problem, hint: hint)
  }
}

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
    digest.add(SequenceFile.format)
    digest.add(try file.unsignedAttribute("version"))
    if try file.hasAttribute("seed") { digest.add(try file.unsignedAttribute("seed")) }
    for name in ["generator", "source"] where try file.hasAttribute(name) { digest.add(try file.textAttribute(name)) }

    let paths = ["/frames", "/mean", "/counts", "/boxes", "/ids", "/labels"] + SequenceSceneSets.paths
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

extension HDF5File {
  /// Checks the attributes `format` and `version` that every file of this project carries.
  func requireFormat(_ format: String, newest: Int, hint: String) throws {
    guard try hasAttribute("format") else {
      throw StorageError(
        file: path, part: "attribute 'format'", problem: "there is none, so this is not a \(format) file", hint: hint)
    }
    let found = try textAttribute("format")
    guard found == format else {
      throw StorageError(
        file: path, part: "attribute 'format'", problem: "it says '\(found)' where '\(format)' was expected",
        hint: hint)
    }
    let version = try integerAttribute("version")
    guard version >= 1 else {
      throw StorageError(
        file: path, part: "attribute 'version'", problem: "\(version) is no version", hint: "Make the file again.")
    }
    guard version <= newest else {
      throw StorageError(
        file: path, part: "attribute 'version'",
        problem: "the file is of version \(version), and this program reads up to \(newest)",
        hint: "Update sqair-dist, or make the file again with this version.")
    }
  }
}
