import Foundation

/// The file that tells ffmpeg which pictures to read; removed with this object.
final class PictureList {
  let path: String

  init(_ pictures: [String], folder: String) throws {
    let text = pictures.map { picture in
      // In a name with a percent sign ffmpeg would see a pattern of names. Versions before 5 do not know the option.
      "file 'file:\(picture.replacingOccurrences(of: "'", with: "'\\''"))'\n"
        + (picture.contains("%") ? "option pattern_type none\n" : "")
    }.joined()
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
