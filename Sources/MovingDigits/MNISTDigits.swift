import Foundation

/// The digits of MNIST, from a folder with its four files as published (gzipped, or unpacked without `.gz`).
///
/// The train split reads `train-*`, the test split `t10k-*`.
public struct MNISTDigits: DigitSource {
  public let maximumHeight: Int
  public let maximumWidth: Int
  public let provenance: String

  private let images: [DigitImage]

  public var count: Int { images.count }

  /// The four names that `scripts/get-mnist` fetches.
  public static let fileNames = DigitSplit.allCases.flatMap { [imageName($0), labelName($0)] }

  private static func imageName(_ split: DigitSplit) -> String { prefix(split) + "-images-idx3-ubyte.gz" }
  private static func labelName(_ split: DigitSplit) -> String { prefix(split) + "-labels-idx1-ubyte.gz" }
  private static func prefix(_ split: DigitSplit) -> String { split == .train ? "train" : "t10k" }

  /// Loads one split into memory.
  ///
  /// - Throws: ``MovingDigitsError`` where a file is missing or damaged, or images and labels do not belong together.
  public init(directory: String, split: DigitSplit) throws {
    let imagePath = try MNISTDigits.find(MNISTDigits.imageName(split), in: directory)
    let labelPath = try MNISTDigits.find(MNISTDigits.labelName(split), in: directory)
    let images = try IDXFile(path: imagePath, dimensions: 3)
    let classes = try IDXFile(path: labelPath, dimensions: 1)
    guard images.shape[0] == classes.shape[0] else {
      throw MovingDigitsError(
        "\(imagePath) holds \(images.shape[0]) images but \(labelPath) holds \(classes.shape[0]) labels: they do not "
          + "belong together. Delete both and fetch them again with scripts/get-mnist.")
    }
    if let wrong = classes.bytes.firstIndex(where: { $0 > 9 }) {
      throw MovingDigitsError(
        "\(labelPath): label \(wrong) is \(classes.bytes[wrong]), expected 0 to 9. "
          + "Delete the file and fetch it again with scripts/get-mnist.")
    }

    let (count, rows, columns) = (images.shape[0], images.shape[1], images.shape[2])
    var digits: [DigitImage] = []
    digits.reserveCapacity(count)
    for index in 0..<count {
      let image = images.bytes[(index * rows * columns)..<((index + 1) * rows * columns)]
      // A blank image would have no box.
      guard let digit = DigitImage(cutting: image, height: rows, width: columns, label: classes.bytes[index]) else {
        throw MovingDigitsError(
          "\(imagePath): image \(index) has no non-zero pixel. "
            + "Delete the file and fetch it again with scripts/get-mnist.")
      }
      digits.append(digit)
    }
    self.images = digits
    maximumHeight = digits.reduce(0) { max($0, $1.height) }
    maximumWidth = digits.reduce(0) { max($0, $1.width) }
    provenance = "MNIST \(split.rawValue) digits, \(count) images (Y. LeCun, C. Cortes; CC BY-SA 3.0)"
  }

  public func image(at index: Int) -> DigitImage { images[index] }

  /// The path of a file under its published name, or unpacked without `.gz`.
  private static func find(_ name: String, in directory: String) throws -> String {
    let published = directory + "/" + name
    let candidates = [published, String(published.dropLast(3))]
    if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
    throw MovingDigitsError(
      "no \(name) (nor \(name.dropLast(3))) in \(directory). "
        + "MNIST is four files: \(fileNames.joined(separator: ", ")). "
        + "Fetch them with: scripts/get-mnist \(directory)")
  }
}
