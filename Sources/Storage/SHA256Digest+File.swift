import Foundation

/// The SHA-256 of a file's bytes as 64 hexadecimal digits.
///
/// - Throws: `StorageError` if the file cannot be read.
public func sha256(ofFile path: String) throws -> String {
  guard let file = fopen(path, "rb") else {
    throw StorageError(
      file: path, problem: "it cannot be opened: \(String(cString: strerror(errno)))", hint: "Check its permissions.")
  }
  defer { fclose(file) }
  let digest = SHA256Digest()
  var piece = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = fread(&piece, 1, piece.count, file)
    guard count > 0 else { break }
    piece.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }
  guard ferror(file) == 0 else {
    throw StorageError(file: path, problem: "it cannot be read to its end", hint: "Check the disk.")
  }
  return digest.finish()
}
