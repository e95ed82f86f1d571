/// Which half of the digits: sequences to train on and sequences to test on never share a digit.
public enum DigitSplit: String, Codable, Sendable, CaseIterable {
  case train
  case test

  /// Keeps the random numbers of the two splits apart.
  var step: UInt64 { self == .train ? 0 : 1 }
}

/// Where the digits come from, as a setting.
public enum DigitChoice: Codable, Sendable, Equatable {
  /// The built-in stroke digits: no download.
  case strokes
  /// The MNIST files in a folder.
  case mnist(directory: String)
}

/// A supply of digit images. `image(at:)` is a pure function, so it may be called from any thread.
public protocol DigitSource: Sendable {
  /// Number of digits.
  var count: Int { get }
  /// No image is higher, in pixels.
  var maximumHeight: Int { get }
  /// No image is wider, in pixels.
  var maximumWidth: Int { get }
  /// What the pixels are and where they come from, for the record in a data file.
  var provenance: String { get }
  /// The digit with that number, in 0..<count.
  func image(at index: Int) -> DigitImage
}
