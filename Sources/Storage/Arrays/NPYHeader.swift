import Foundation

/// What the header of a NumPy array file says: bytes in C order, of this shape.
struct NPYHeader {
  /// Lengths of the axes, the last one being contiguous.
  let shape: [Int]
  /// The product of the lengths.
  let elementCount: Int
  /// Bytes before the first element.
  let size: UInt64

  /// The longest text that is read: NumPy's own are below 200 bytes.
  private static let longestText = 1 << 16
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - read: returns the next bytes of the file, as many as it is asked for.
  /// - Throws: `StorageError` for a file that is no array of uint8 in C order.
  init(path: String, read: (Int) throws -> [UInt8]) throws {
    let prefix = try read(8)
    let version = try Self.version(prefix, path)
    let lengthBytes = try read(version == 1 ? 2 : 4)
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.longestText else {
      throw StorageError(
        file: path, problem: "its header claims \(length) bytes",
        hint: "It is damaged, or no array of numbers; write it again.")
    }
    size = UInt64(prefix.count + lengthBytes.count + length)
    (shape, elementCount) = try Self.shape(String(decoding: try read(length), as: UTF8.self), path)
  }

  /// The version of the format, from the first 8 bytes of a file.
  private static func version(_ prefix: [UInt8], _ path: String) throws -> UInt8 {
    guard !prefix.starts(with: Array("PK".utf8)) else {
      throw StorageError(
        file: path, problem: "it is not a NumPy array but an archive of arrays (numpy.savez)",
        hint: "Take one out: numpy.save(NEW, numpy.load(\(path.debugDescription))[NAME]).")
    }
    guard prefix.starts(with: magic) else {
      throw StorageError(
        file: path, problem: "it is not a NumPy array: it does not begin with \\x93NUMPY",
        hint: "Write it with numpy.save.")
    }
    guard (1...3).contains(prefix[6]) else {
      throw StorageError(
        file: path, problem: "it has version \(prefix[6]) of the format, and 1 to 3 are known",
        hint: "Write it with numpy.save.")
    }
    return prefix[6]
  }

  /// Lengths of the axes and their product, from the text of a header, which must be of bytes in C order.
  private static func shape(_ text: String, _ path: String) throws -> (shape: [Int], elementCount: Int) {
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: path, problem: problem, hint: hint)
    }
    // Lengths that Python 2 has written may end with an L.
    guard let type = text.firstMatch(of: /'descr': *'([^']*)'/)?.1,
      let order = text.firstMatch(of: /'fortran_order': *(True|False)/)?.1,
      let lengths = text.firstMatch(of: /'shape': *\(([0-9L, ]*)\)/)?.1
    else {
      throw refuse(
        "its header does not say type, order and shape", "Arrays of records or objects cannot be read; write bytes.")
    }
    guard type == "|u1" || type == "u1" else {
      throw refuse(
        "it holds '\(type)' where uint8 ('|u1') was expected",
        "Convert it: numpy.save(NEW, array.astype('uint8')), after * 255 if its values are 0 to 1.")
    }
    guard order == "False" else {
      throw refuse("it is in Fortran order", "Convert it: numpy.save(NEW, numpy.ascontiguousarray(array)).")
    }
    var shape: [Int] = []
    var total = 1
    for field in lengths.split(separator: ",") {
      let text = field.trimmingCharacters(in: CharacterSet(charactersIn: " L"))
      if text.isEmpty { continue }
      let (product, overflows) = total.multipliedReportingOverflow(by: Int(text) ?? -1)
      guard let count = Int(text), !overflows else {
        throw refuse("its shape (\(lengths)) is larger than any file", "It is damaged; copy it again from its source.")
      }
      shape.append(count)
      total = product
    }
    return (shape, total)
  }
}
