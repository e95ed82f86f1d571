import Foundation

/// A NumPy array of bytes in a file (`*.npy`), opened for reading.
///
/// The header is checked against the size of the file, so a wrong one is refused before memory is taken.
public final class NPYFile {
  public let path: String
  /// Lengths of the axes, the last one being contiguous.
  public let shape: [Int]
  private let file: FileHandle
  private let start: UInt64

  /// The largest header that is read: NumPy's own are below 200 bytes.
  private static let largestHeader = 1 << 16
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// - Throws: `StorageError` for a file that is no array of uint8 in C order, or not as long as it says.
  public init(path: String) throws {
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: path, problem: problem, hint: hint)
    }
    guard let file = FileHandle(forReadingAtPath: path),
      let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
    else { throw refuse("it cannot be opened", "Check the name and the permissions.") }
    func read(_ count: Int) throws -> [UInt8] {
      guard count > 0 else { return [] }
      guard let data = try? file.read(upToCount: count), data.count == count else {
        throw refuse("it ends within its header", "Copy it again from its source.")
      }
      return [UInt8](data)
    }
    let prefix = try read(8)
    guard prefix.starts(with: Self.magic) else {
      throw refuse("it is not a NumPy array: it does not begin with \\x93NUMPY", "Write it with numpy.save.")
    }
    guard (1...3).contains(prefix[6]) else {
      throw refuse("it has version \(prefix[6]) of the format, and 1 to 3 are known", "Write it with numpy.save.")
    }
    let lengthBytes = try read(prefix[6] == 1 ? 2 : 4)
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.largestHeader else {
      throw refuse("its header claims \(length) bytes", "It is damaged, or no array of numbers; write it again.")
    }
    let header = String(decoding: try read(length), as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': *'([^']*)'/)?.1,
      let order = header.firstMatch(of: /'fortran_order': *(True|False)/)?.1,
      let lengths = header.firstMatch(of: /'shape': *\(([0-9, ]*)\)/)?.1
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
      let text = field.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { continue }
      let (product, overflows) = total.multipliedReportingOverflow(by: Int(text) ?? -1)
      guard let count = Int(text), !overflows else {
        throw refuse("its shape (\(lengths)) is larger than any file", "It is damaged; copy it again from its source.")
      }
      shape.append(count)
      total = product
    }
    let begin = UInt64(prefix.count + lengthBytes.count + length)
    guard size >= begin, size - begin == UInt64(total) else {
      throw refuse(
        "its shape (\(lengths)) needs \(total) bytes, and \(size >= begin ? size - begin : 0) follow the header",
        "It is damaged or was not copied completely; copy it again from its source.")
    }
    self.path = path
    self.shape = shape
    self.file = file
    start = begin
  }

  /// Reads `count` bytes from element `first` on, counted over the whole array.
  public func read(first: Int, count: Int) throws -> [UInt8] {
    do {
      try file.seek(toOffset: start + UInt64(first))
      if let data = try file.read(upToCount: count), data.count == count { return [UInt8](data) }
    } catch {}
    throw StorageError(
      file: path, problem: "bytes \(first) to \(first + count) cannot be read",
      hint: "The file was changed meanwhile, or its disk has a fault.")
  }
}
