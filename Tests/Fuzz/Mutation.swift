import Foundation

/// A deterministic source of random numbers (SplitMix64), so that a finding can be repeated from its seed and number.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Changes to the bytes of a valid file that a careless disk, a broken writer or an attacker could make.
///
/// Some know nothing of the format. Others aim at its structure: the bytes behind the signatures of HDF5 objects, the
/// lengths in an IDX header, the tokens of JSON.
struct Mutation {
  enum Kind: String, CaseIterable {
    /// Of bytes anywhere.
    case bytes
    /// Of the bytes that make the format's structure.
    case structure
    /// Of both.
    case mixed
    /// Of the content of a file that is otherwise intact; see `Content`.
    case content
  }

  /// Applies one to four changes to a copy of `seed`.
  static func mutate(
    _ seed: [UInt8], of format: InputFormat, _ kind: Kind, using random: inout SplitMix64
  ) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      if kind == .bytes || kind == .mixed && Bool.random(using: &random) {
        changeAnywhere(&bytes, using: &random)
      } else {
        changeStructure(&bytes, of: format, using: &random)
      }
    }
    return bytes
  }

  /// Numbers at which programs fail: zero, one, the largest of each size, and the values next to them.
  static let edgeValues: [UInt64] = [
    0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40,
    0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFE, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  private static func changeAnywhere(_ bytes: inout [UInt8], using random: inout SplitMix64) {
    let offset = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes[offset] = UInt8.random(in: 0...255, using: &random)
    case 3: writeEdgeValue(at: offset, in: &bytes, using: &random)
    case 4: bytes.removeSubrange(offset...)
    case 5:
      // A block of the file over another.
      let length = min(Int.random(in: 1...64, using: &random), bytes.count - offset)
      let source = Int.random(in: 0...bytes.count - length, using: &random)
      bytes.replaceSubrange(offset..<offset + length, with: bytes[source..<source + length])
    default:
      let length = min(Int.random(in: 1...512, using: &random), bytes.count - offset)
      bytes.replaceSubrange(offset..<offset + length, with: repeatElement(0, count: length))
    }
  }

  private static func changeStructure(
    _ bytes: inout [UInt8], of format: InputFormat, using random: inout SplitMix64
  ) {
    switch format {
    case .sequences, .checkpoint:
      let offsets = signatureOffsets(in: bytes)
      let start = offsets.randomElement(using: &random) ?? 0
      let offset = start + Int.random(in: 0..<96, using: &random)
      guard offset < bytes.count else { return }
      if Int.random(in: 0..<3, using: &random) > 0 {
        writeEdgeValue(at: offset, in: &bytes, using: &random)
      } else {
        bytes[offset] = bytes[offset] &+ UInt8.random(in: 1...255, using: &random)
      }
    case .idx:
      let offset = Int.random(in: 0..<min(16, bytes.count), using: &random)
      writeEdgeValue(at: offset, in: &bytes, using: &random, isBigEndian: true)
    case .configuration, .metrics:
      changeText(&bytes, using: &random)
    }
  }

  /// Where the structures of an HDF5 file begin: the superblock, headers, trees, heaps and indexes.
  private static func signatureOffsets(in bytes: [UInt8]) -> [Int] {
    let signatures = ["OHDR", "TREE", "HEAP", "SNOD", "GCOL", "FRHP", "FHDB", "BTHD", "BTLF", "FAHD", "FADB", "OCHK"]
      .map { Array($0.utf8) }
    var offsets = [0]
    for offset in 0..<max(0, bytes.count - 4) where (0x41...0x54).contains(bytes[offset]) {
      if signatures.contains(where: { $0[...] == bytes[offset..<offset + 4] }) { offsets.append(offset) }
    }
    return offsets
  }

  private static func writeEdgeValue(
    at offset: Int, in bytes: inout [UInt8], using random: inout SplitMix64, isBigEndian: Bool = false
  ) {
    let size = [1, 2, 4, 8].randomElement(using: &random)!
    let value = edgeValues.randomElement(using: &random)!
    for index in 0..<size where offset + index < bytes.count {
      let shift = UInt64(8 * (isBigEndian ? size - 1 - index : index))
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
    }
  }

  /// Replaces, repeats or removes a token of JSON.
  static func changeText(_ bytes: inout [UInt8], using random: inout SplitMix64) {
    let separators = Set("{}[],:\n".utf8)
    let offsets = bytes.indices.filter { separators.contains(bytes[$0]) }
    guard let from = offsets.randomElement(using: &random) else { return }
    let end = offsets.first { $0 > from } ?? bytes.count
    let token = from + 1..<max(from + 1, end)
    let replacements = [
      "-1", "0", "1e308", "-1e400", "1e-400", "9223372036854775807", "9223372036854775808", "18446744073709551616",
      "4e18", "NaN", "null", "true", "\"\"", "\"\\u0000\\u001b[2J\"", "\"\\ud800\"", "[]", "{}",
      String(repeating: "[", count: 3_000), "{\"a\":{\"a\":{\"a\":1}}}", "\"step\"", "{\"step\":1}",
    ]
    switch Int.random(in: 0..<4, using: &random) {
    case 0, 1: bytes.replaceSubrange(token, with: Array(replacements.randomElement(using: &random)!.utf8))
    case 2: bytes.insert(contentsOf: bytes[token], at: token.lowerBound)
    default: bytes.removeSubrange(from..<token.upperBound)
    }
  }
}
