import Foundation

/// The file that tells ffmpeg which pictures to read; removed with this object.
final class PictureList {
  let path: String

  init(_ pictures: [String], folder: String) throws {
    let text = pictures.map { "file 'file:\($0.replacingOccurrences(of: "'", with: "'\\''"))'\n" }.joined()
    var template = Array("\(NSTemporaryDirectory())/sqair-pictures-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    do {
      guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(
        contentsOf: Data("ffconcat version 1.0\n\(text)".utf8))
    } catch {
      throw VideoError(
        path: folder, problem: "the list of its pictures cannot be written to '\(path)'",
        hint: "Free some space there, or name another folder in TMPDIR.")
    }
  }

  deinit { unlink(path) }
}
