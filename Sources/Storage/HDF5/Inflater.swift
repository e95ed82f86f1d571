import CZlib

/// Inflates deflated bytes into exactly as many as are expected, with memory that is used again.
final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start: no memory is left")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Fills all of `target`.
  ///
  /// - Returns: what is wrong with the deflated bytes; nil if they give as many as `target` has, and no more.
  func inflate(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> String? {
    guard source.count <= Int(UInt32.max), target.count <= Int(UInt32.max) else { return "it is too large" }
    inflateReset(stream)
    var one: UInt8 = 0
    stream.pointee.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(source.count)
    stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(target.count)
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    let written = target.count - Int(stream.pointee.avail_out)
    switch status {
    case Z_STREAM_END where written == target.count: return nil
    case Z_STREAM_END: return "it inflates to \(written) bytes in place of \(target.count)"
    case Z_OK, Z_BUF_ERROR:
      guard stream.pointee.avail_out == 0 else { return "its deflated bytes end after \(written) of \(target.count)" }
      // All is there; the end of the stream may still be to come.
      return withUnsafeMutablePointer(to: &one) { spare in
        stream.pointee.next_out = spare
        stream.pointee.avail_out = 1
        let last = CZlib.inflate(stream, Z_FINISH)
        return last == Z_STREAM_END && stream.pointee.avail_out == 1
          ? nil : "it inflates to more than the \(target.count) bytes of a chunk"
      }
    default:
      return "its deflated bytes are damaged (\(stream.pointee.msg.map { String(cString: $0) } ?? "zlib \(status)"))"
    }
  }
}
