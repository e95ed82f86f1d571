/// A step that HDF5 applied to each chunk when it was written, undone here with every length checked.
///
/// HDF5 1.10 does not compare the length of what a filter returns with that of a chunk: a chunk that inflates to less
/// shows memory that was never written, one that inflates to more takes memory without limit.
enum HDF5Filter: Equatable {
  case deflate
  /// The bytes of elements of this size were put in order of significance.
  case shuffle(elementSize: Int)
  /// Four bytes of checksum follow.
  case fletcher32

  /// The filter of a number (`H5Z_filter_t`); nil for one that this program does not undo.
  ///
  /// - Parameter value: the first of the filter's own values.
  init?(code: Int32, value: UInt32) {
    switch code {
    case 1: self = .deflate
    case 2 where value > 0 && value <= 1 << 16: self = .shuffle(elementSize: Int(value))
    case 3: self = .fletcher32
    default: return nil
    }
  }

  /// Whether it notices damage: deflated bytes carry a sum of what they inflate to.
  var hasChecksum: Bool { self == .deflate || self == .fletcher32 }

  /// What users call the filter of a number.
  static func name(ofCode code: Int32, stored: String) -> String {
    let known: [Int32: String] = [
      4: "szip", 5: "nbit", 6: "scaleoffset", 305: "lzo", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4",
      32008: "bitshuffle", 32013: "zfp", 32015: "zstd", 32026: "blosc2",
    ]
    return known[code] ?? (stored.isEmpty ? "number \(code)" : "\(stored.printable) (number \(code))")
  }

  /// Deflate makes no more than this of a byte.
  static let largestInflation = 1_032
}
