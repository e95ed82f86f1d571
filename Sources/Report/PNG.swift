import CPNG
import CZlib
import Foundation

/// Pictures as PNG, by libpng's simplified interface (it needs no `setjmp`, which Swift cannot call).
extension Picture {
  /// The picture as the bytes of a PNG file.
  public func pngBytes() throws -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    defer { png_image_free(&image) }
    // The worst case: nothing compresses, a filter byte a row, zlib's and the chunks' frames.
    let raw = (width * 3 + 1) * height
    var size = raw + raw / 256 + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else {
      let reason = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw ReportError("libpng cannot encode a picture of \(width) x \(height) pixels: \(reason).")
    }
    return Self.marked(Array(bytes.prefix(size)))
  }

  /// The file with a text chunk behind its header that says which program made it.
  private static func marked(_ png: [UInt8]) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    let text = Array("Software\0\(OutputMark.generator)".utf8)
    let body = Array("tEXt".utf8) + text
    let chunk = bytes(UInt32(text.count)) + body + bytes(UInt32(crc32(0, body, uInt(body.count))))
    // Signature and header: 8 and 25 bytes.
    return png[..<33] + chunk + png[33...]
  }

  /// The picture in the form of a PNG file, to be put into several places.
  public func encoded() throws -> EncodedPicture {
    EncodedPicture(height: height, width: width, png: try pngBytes())
  }

  /// Writes the picture to a PNG file: under a temporary name first, then renamed.
  public func writePNG(to path: String) throws { try encoded().write(to: path) }
}

/// A picture in the form of a PNG file. Encoding takes longer than drawing, so it is done once for all places.
public struct EncodedPicture: Sendable {
  public let height: Int
  public let width: Int
  let png: [UInt8]

  /// Writes the PNG file: under a temporary name first, then renamed.
  public func write(to path: String) throws { try OutputFile.replace(path, with: png, mark: .picture) }
}
