/// Undoes shuffle: `target[i * size + j] = source[j * count + i]`; bytes beyond whole elements stay where they are.
func unshuffle(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, elementSize: Int) {
  let count = source.count / elementSize
  guard let from = source.baseAddress else { return }
  for byte in 0..<elementSize {
    let plane = from + byte * count
    var to = target + byte
    for element in 0..<count {
      to.storeBytes(of: plane.load(fromByteOffset: element, as: UInt8.self), as: UInt8.self)
      to += elementSize
    }
  }
  let whole = count * elementSize
  if whole < source.count { (target + whole).copyMemory(from: from + whole, byteCount: source.count - whole) }
}
