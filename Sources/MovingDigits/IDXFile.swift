import CZlib
import Foundation

/// An array of bytes with its shape, read from MNIST's IDX format (gzipped or plain).
///
/// Layout: a big-endian magic number `0x000008DD` (08 = uint8, DD = number of dimensions), DD big-endian 32-bit
/// lengths, then the bytes, row-major.
public struct IDXFile: Sendable {
  /// The lengths of the dimensions, outermost first.
  public let shape: [Int]
  /// The elements, row-major.
  public let bytes: [UInt8]

  /// Reads a whole file and refuses one that is not exactly what its header says.
  ///
  /// - Parameters:
  ///   - path: The file; gzip is recognised by its content.
  ///   - dimensions: The number of dimensions the file must have: 3 for images, 1 for labels.
  /// - Throws: ``MovingDigitsError`` with the path, the byte counts and the next action.
  public init(path: String, dimensions: Int) throws {
    guard let file = gzopen(path, "rb") else {
      throw MovingDigitsError(
        "cannot open \(path): \(String(cString: strerror(errno))). Check that it exists and is readable.")
    }
    defer { gzclose(file) }
    _ = gzbuffer(file, 1 << 17)

    let header = try IDXFile.read(4 + 4 * dimensions, from: file, path: path)
    let words = (0...dimensions).map { word -> Int in
      guard 4 * word + 4 <= header.count else { return 0 }
      return header[(4 * word)..<(4 * word + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    let magic = 0x0800 + dimensions
    guard header.count >= 4, words[0] == magic else {
      let found = header.count >= 4 ? String(format: "0x%08x", words[0]) : "only \(header.count) bytes"
      throw MovingDigitsError(
        "\(path) is not an IDX file of bytes with \(dimensions) dimension\(dimensions == 1 ? "" : "s"): its first four "
          + "bytes should be \(String(format: "0x%08x", magic)), found \(found). \(IDXFile.fetchAgain)")
    }
    shape = Array(words.dropFirst())
    guard header.count == 4 + 4 * dimensions else {
      throw MovingDigitsError("\(path) ends inside its header, after \(header.count) bytes. \(IDXFile.fetchAgain)")
    }

    // One byte beyond the announced size shows whether the file is longer.
    let promised = shape.reduce((1, false)) { total, length in
      let (product, overflow) = total.0.multipliedReportingOverflow(by: length)
      return (product, total.1 || overflow)
    }
    guard !promised.1, promised.0 > 0, promised.0 < 1 << 40 else {
      throw MovingDigitsError(
        "\(path) has an impossible shape \(shape) in its header. \(IDXFile.fetchAgain)")
    }
    bytes = try IDXFile.read(promised.0 + 1, from: file, path: path)
    guard bytes.count == promised.0 else {
      let found = bytes.count < promised.0 ? "but only \(bytes.count) follow" : "but more follow"
      throw MovingDigitsError(
        "\(path): the header announces \(promised.0) bytes of shape \(shape), \(found). \(IDXFile.fetchAgain)")
    }
  }

  private static let fetchAgain = "Delete the file and fetch it again with scripts/get-mnist."

  /// Up to `count` bytes, fewer only where the file ends. Grows as it reads, so that a wrong header costs no memory.
  private static func read(_ count: Int, from file: gzFile, path: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let start = bytes.count
      let length = min(count - start, 1 << 22)
      bytes.append(contentsOf: repeatElement(0, count: length))
      let got = bytes.withUnsafeMutableBytes { gzread(file, $0.baseAddress! + start, UInt32(length)) }
      bytes.removeLast(length - max(Int(got), 0))
      if got < length {
        var code: Int32 = 0
        let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
        guard code == Z_OK || code == Z_STREAM_END else {
          throw MovingDigitsError(
            "\(path) cannot be decompressed after byte \(bytes.count): \(message). \(fetchAgain)")
        }
        break
      }
    }
    return bytes
  }
}
