import CCrypto

/// SHA-256 over a sequence of values whose bytes are laid out one way on every machine.
///
/// Lengths go in before contents, so that no two different sequences of values give the same bytes.
final class SHA256Digest {
  private let context: OpaquePointer

  /// OpenSSL's own clean-up at exit is off, as HDF5's is: a thread that still reads would use what is gone.
  private static let library: Void = { _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) }()

  init() {
    Self.library
    context = EVP_MD_CTX_new()
    let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "OpenSSL offers no SHA-256; check the OpenSSL configuration of this machine")
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  func add(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// Adds a number as 8 bytes, little-endian.
  func add(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { add($0) }
  }

  /// Adds the number of UTF-8 bytes, then the bytes.
  func add(_ text: String) {
    add(UInt64(text.utf8.count))
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  /// Adds a path, the rank, the dimensions, then the elements as they lie in memory.
  ///
  /// The machines this is built for are little-endian; so are the bytes.
  func add<T: HDF5Element>(array path: String, shape: [Int], values: [T]) {
    add(path)
    add(UInt64(shape.count))
    for dimension in shape { add(UInt64(dimension)) }
    values.withUnsafeBytes { add($0) }
  }

  /// The 32 bytes of the digest; nothing can be added afterwards.
  func finishBytes() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }

  /// The digest as 64 hexadecimal digits; nothing can be added afterwards.
  func finish() -> String {
    let digits = Array("0123456789abcdef")
    return String(finishBytes().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
