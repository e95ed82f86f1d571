/// What reader and writer of sequence files share: the name, the version and the paths of the format.
enum SequenceFormat {
  /// Attribute `format`.
  static let name = "sqair-dist/sequences"
  /// The latest `version` that this program reads, and the one that it writes.
  static let version = 1
  /// SHA-256 of the frames of each sequence, uint8 `[N, 32]`; optional.
  static let digestPath = "/frame_digests"
  /// Data sets of a scene (`SequenceScene`), each optional.
  static let scenePaths = ["/visible", "/ink", "/bars", "/unoccluded"]
  /// Data sets of boxes that measures ignore (`SequenceIgnored`), both or none.
  static let ignoredPaths = ["/ignore_counts", "/ignore_boxes"]
}
