/// The Fletcher-32 sum of HDF5: over big-endian words of two bytes.
func fletcher32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  var low: UInt32 = 0
  var high: UInt32 = 0
  var index = 0
  let words = bytes.count / 2
  while index < words {
    // As many as can be added without overflow.
    let end = min(words, index + 360)
    while index < end {
      low &+= UInt32(bytes[2 * index]) << 8 | UInt32(bytes[2 * index + 1])
      high &+= low
      index += 1
    }
    low = (low & 0xffff) &+ (low >> 16)
    high = (high & 0xffff) &+ (high >> 16)
  }
  if bytes.count % 2 == 1 {
    low &+= UInt32(bytes[bytes.count - 1]) << 8
    high &+= low
    low = (low & 0xffff) &+ (low >> 16)
    high = (high & 0xffff) &+ (high >> 16)
  }
  low = (low & 0xffff) &+ (low >> 16)
  high = (high & 0xffff) &+ (high >> 16)
  return high << 16 | low
}
