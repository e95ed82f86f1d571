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

  /// - Throws: `StorageError` for a file that is no array of uint8 in C order, or not as long as it says.
  public init(path: String) throws {
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: path, problem: problem, hint: hint)
    }
    // Opening a pipe would wait for its writer for ever.
    switch FileKind(of: path) {
    case .special(let kind): throw refuse("this is \(kind), not a file", "Write its content to a file first.")
    case .folder:
      throw refuse("this is a folder, not a file", "Name the array in it; a folder of pictures needs another name.")
    case .missing, .regular: break
    }
    guard let file = FileHandle(forReadingAtPath: path),
      let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
    else { throw refuse("it cannot be opened", "Check the name and the permissions.") }
    let header = try NPYHeader(path: path) { count in
      guard count > 0 else { return [] }
      guard let data = try? file.read(upToCount: count), data.count == count else {
        throw refuse("it ends within its header", "Copy it again from its source.")
      }
      return [UInt8](data)
    }
    guard size >= header.size, size - header.size == UInt64(header.elementCount) else {
      throw refuse(
        "its shape \(header.shape) needs \(header.elementCount) bytes, and "
          + "\(size >= header.size ? size - header.size : 0) follow the header",
        "It is damaged or was not copied completely; copy it again from its source.")
    }
    self.path = path
    shape = header.shape
    self.file = file
    start = header.size
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
