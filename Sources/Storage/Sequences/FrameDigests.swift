import Foundation

/// The SHA-256 of the frames of each sequence of a file: what tells whether the content is what it was, whatever the
/// file around it.
public struct FrameDigests: Equatable, Sendable {
  /// Bytes of a digest.
  public static let size = 32
  /// `[N, 32]`, one digest a sequence.
  public let bytes: [UInt8]

  /// Digests that were read or received; nil unless there are `sequences` of them.
  public init?(bytes: [UInt8], sequences: Int) {
    guard bytes.count == sequences * Self.size else { return nil }
    self.bytes = bytes
  }

  public var count: Int { bytes.count / Self.size }

  /// Those of some of the sequences.
  func part(_ sequences: Range<Int>) -> FrameDigests {
    FrameDigests(
      bytes: Array(bytes[sequences.lowerBound * Self.size..<sequences.upperBound * Self.size]),
      sequences: sequences.count)!
  }

  /// Those that a file keeps; nil where it keeps none.
  init?(keptIn file: HDF5File, sequences: Int) throws {
    guard try file.contains(SequenceFormat.digestPath) else { return nil }
    let set = try file.dataSet(SequenceFormat.digestPath)
    guard set.type == .uint8, set.shape == [sequences, Self.size] else {
      throw file.damaged(
        SequenceFormat.digestPath, "it does not hold a digest of \(Self.size) bytes for each of \(sequences) sequences")
    }
    try set.requireComplete()
    self.init(bytes: try set.readAll(as: UInt8.self), sequences: sequences)
  }

  /// Whether these are the bytes of the frames of a sequence, `[T, H, W]`.
  func match(_ sequence: Int, _ frames: UnsafeRawBufferPointer) -> Bool {
    let digest = SHA256Digest()
    digest.add(frames)
    return isDigest(digest.finishBytes(), of: sequence)
  }

  func isDigest(_ digest: [UInt8], of sequence: Int) -> Bool {
    digest.elementsEqual(bytes[sequence * Self.size..<(sequence + 1) * Self.size])
  }
}
