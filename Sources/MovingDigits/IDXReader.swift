import CZlib
import Foundation

/// Reads an array of bytes from a file in MNIST's IDX format (gzipped or plain), one entry after another, so that a
/// large or hostile file takes the memory of one entry.
///
/// Layout: a big-endian magic number `0x000008DD` (08 = uint8, DD = number of dimensions), DD big-endian 32-bit
/// lengths, then the bytes, row-major.
final class IDXReader {
  let path: String
  /// The lengths of the dimensions, outermost first.
  let shape: [Int]
  private let file: gzFile
  private var position = 0

  /// Bytes of an entry of the first dimension.
  var entrySize: Int { shape.dropFirst().reduce(1, *) }

  /// Opens a file and reads its header.
  ///
  /// - Parameter dimensions: the number of dimensions the file must have: 3 for images, 1 for labels.
  /// - Throws: ``MovingDigitsError`` with the path, the byte counts and the next action.
  init(path: String, dimensions: Int) throws {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw MovingDigitsError(
        "cannot open \(path): \(String(cString: strerror(errno))). Check that it exists and is readable.")
    }
    // Opening a pipe would wait for its writer for ever.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw MovingDigitsError("\(path) is no regular file. Name a folder of IDX files.")
    }
    guard let file = gzopen(path, "rb") else {
      throw MovingDigitsError(
        "cannot open \(path): \(String(cString: strerror(errno))). Check that it exists and is readable.")
    }
    self.file = file
    _ = gzbuffer(file, 1 << 17)
    do {
      shape = try Self.readShape(file, path: path, dimensions: dimensions, size: Int(status.st_size))
    } catch {
      gzclose(file)
      throw error
    }
  }

  deinit { gzclose(file) }

  private static func readShape(_ file: gzFile, path: String, dimensions: Int, size: Int) throws -> [Int] {
    var header = [UInt8](repeating: 0, count: 4 + 4 * dimensions)
    let count = try fill(&header, from: file, path: path, at: 0)
    let words = (0...dimensions).map { word in
      header[(4 * word)..<(4 * word + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    let magic = 0x0800 + dimensions
    guard count >= 4, words[0] == magic else {
      let found = count >= 4 ? String(format: "0x%08x", words[0]) : "only \(count) bytes"
      throw MovingDigitsError(
        "\(path) is not an IDX file of bytes with \(dimensions) dimension\(dimensions == 1 ? "" : "s"): its first four "
          + "bytes should be \(String(format: "0x%08x", magic)), found \(found). \(IDXReader.advice)")
    }
    let shape = Array(words.dropFirst())
    guard count == header.count else {
      throw MovingDigitsError("\(path) ends inside its header, after \(count) bytes. \(IDXReader.advice)")
    }
    let promised = shape.reduce((bytes: 1, overflow: false)) { total, length in
      let (product, overflow) = total.bytes.multipliedReportingOverflow(by: length)
      return (product, total.overflow || overflow)
    }
    // Deflate makes at most 1032 bytes of one.
    let largest = gzdirect(file) == 1 ? size : size.multipliedReportingOverflow(by: 1032).partialValue
    guard !promised.overflow, promised.bytes > 0, shape.dropFirst().allSatisfy({ $0 <= 4096 }) else {
      throw MovingDigitsError("\(path) has an impossible shape \(shape) in its header. \(IDXReader.advice)")
    }
    guard promised.bytes <= largest else {
      throw MovingDigitsError(
        "\(path): the header announces \(promised.bytes) bytes of shape \(shape), more than a file of \(size) bytes holds. "
          + IDXReader.advice)
    }
    return shape
  }

  /// Reads the next entry of the first dimension.
  func readEntry(into bytes: inout [UInt8]) throws {
    let count = try Self.fill(&bytes, from: file, path: path, at: position)
    position += count
    guard count == bytes.count else {
      throw MovingDigitsError(
        "\(path): the header announces \(shape.reduce(1, *)) bytes of shape \(shape), but only \(position) follow. "
          + IDXReader.advice)
    }
  }

  /// Makes sure that the file ends where the header says, and that its checksum holds.
  func finish() throws {
    var next: [UInt8] = [0]
    guard try Self.fill(&next, from: file, path: path, at: position) == 0 else {
      throw MovingDigitsError(
        "\(path): the header announces \(shape.reduce(1, *)) bytes of shape \(shape), but more follow. \(IDXReader.advice)"
      )
    }
  }

  /// Fills `bytes`; fewer only where the file ends.
  private static func fill(_ bytes: inout [UInt8], from file: gzFile, path: String, at position: Int) throws -> Int {
    var count = 0
    while count < bytes.count {
      let length = min(bytes.count - count, 1 << 22)
      let got = bytes.withUnsafeMutableBytes { gzread(file, $0.baseAddress! + count, UInt32(length)) }
      count += max(Int(got), 0)
      if got < length {
        var code: Int32 = 0
        let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
        guard code == Z_OK || code == Z_STREAM_END else {
          throw MovingDigitsError(
            "\(path) cannot be decompressed after byte \(position + count): \(message). \(IDXReader.advice)")
        }
        break
      }
    }
    return count
  }

  /// What to do about a file that is not as published; it is the user's, who decides what becomes of it.
  static let advice = "Get a good copy: scripts/get-mnist FOLDER fetches MNIST's own files into a folder."
}
