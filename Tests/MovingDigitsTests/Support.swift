import Foundation
import MovingDigits

/// A source of solid rectangles that differ in size and in grey level; digit `i` is labelled `i`, so that a test can
/// find the image of an object by its label.
struct Rectangles: DigitSource {
  let count = 200
  let maximumHeight = 19
  let maximumWidth = 15
  let provenance = "rectangles for tests"

  func image(at index: Int) -> DigitImage {
    let (height, width) = (8 + index % 12, 6 + index % 10)
    let pixels = (0..<(height * width)).map { UInt8(1 + ($0 * 7 + index * 31) % 255) }
    guard let image = DigitImage(cutting: pixels, height: height, width: width, label: UInt8(index)) else {
      preconditionFailure("a rectangle without a zero is not blank")
    }
    return image
  }
}

extension MovingDigitsSettings {
  static func with(_ change: (inout MovingDigitsSettings) -> Void) -> MovingDigitsSettings {
    var settings = MovingDigitsSettings()
    change(&settings)
    return settings
  }
}

/// The box of one object in one frame.
struct Box: Equatable {
  let y, x, height, width: Int

  func overlaps(_ other: Box) -> Bool {
    y < other.y + other.height && other.y < y + height && x < other.x + other.width && other.x < x + width
  }
}

extension DigitSequence {
  /// The box in `[T, M, 4]`, with M the number of labels.
  func box(frame: Int, slot: Int) -> Box {
    let values = boxes[(4 * (frame * labels.count + slot))...].prefix(4).map { Int($0) }
    return Box(y: values[0], x: values[1], height: values[2], width: values[3])
  }

  /// FNV-1a over every array, to recognise a change of any value.
  var fingerprint: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ bytes: UnsafeRawBufferPointer) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    frames.withUnsafeBytes(add)
    counts.withUnsafeBytes(add)
    boxes.withUnsafeBytes(add)
    ids.withUnsafeBytes(add)
    labels.withUnsafeBytes(add)
    return hash
  }
}
