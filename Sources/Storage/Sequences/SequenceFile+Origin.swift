extension SequenceFile {
  /// Attribute `format` of the files that `SequenceSet.saveDigests` writes.
  public static let digestRecordFormat = "sqair-dist/frame-digests"

  /// Whether the file at `path` was made by `SequenceFileWriter`: other programs write the same format, but neither the
  /// settings of a generator nor a digest.
  public static func isGenerated(_ path: String) throws -> Bool {
    let file = try HDF5File(reading: path)
    return try file.isOf(format) && file.hasAttribute("digest") && file.hasAttribute("generator")
      && !file.textAttribute("generator").isEmpty
  }
}
