/// The digits of MNIST, or the images of a set that is published in the same format: Fashion-MNIST, KMNIST, EMNIST.
public struct MNISTDigits: DigitSource {
  public let maximumHeight: Int
  public let maximumWidth: Int
  public let provenance: String

  private let images: [DigitImage]

  public var count: Int { images.count }

  /// The four names that `scripts/get-mnist` fetches.
  public static let fileNames = ["train", "t10k"].flatMap {
    ["\($0)-images-idx3-ubyte.gz", "\($0)-labels-idx1-ubyte.gz"]
  }

  /// Loads one split into memory: each image cut to its ink, images without ink left out.
  ///
  /// - Parameter directory: a folder with the files under their published names (see `IDXFolder`).
  /// - Throws: ``MovingDigitsError`` where a file is missing or damaged, or images and labels do not belong together.
  public init(directory: String, split: DigitSplit) throws {
    let folder = try IDXFolder(directory, split: split)
    let reader = try IDXReader(path: folder.images, dimensions: 3)
    let classes = try IDXFile(path: folder.labels, dimensions: 1)
    let (count, rows, columns) = (reader.shape[0], reader.shape[1], reader.shape[2])
    guard count == classes.shape[0] else {
      throw MovingDigitsError(
        "\(folder.images) holds \(count) images but \(folder.labels) holds \(classes.shape[0]) labels: they do not "
          + "belong together. Put the two files of one set into a folder.")
    }
    // 255 stands for no object in sequence files.
    if let wrong = classes.bytes.firstIndex(of: 255) {
      throw MovingDigitsError("\(folder.labels): label \(wrong) is 255, expected 0 to 254. \(IDXReader.advice)")
    }

    // EMNIST's images lie on their sides: rows and columns are exchanged.
    let isTransposed = folder.set.hasPrefix("emnist")
    var digits: [DigitImage] = []
    var blanks = 0
    var brightest: UInt8 = 0, whiteCorners = 0
    var image = [UInt8](repeating: 0, count: reader.entrySize)
    var upright = image
    for index in 0..<count {
      try reader.readEntry(into: &image)
      if isTransposed {
        for y in 0..<columns {
          for x in 0..<rows { upright[y * rows + x] = image[x * columns + y] }
        }
      }
      brightest = max(brightest, image.max() ?? 0)
      let corners = [0, columns - 1, (rows - 1) * columns, rows * columns - 1]
      if corners.allSatisfy({ image[$0] > 127 }) { whiteCorners += 1 }
      let (height, width) = isTransposed ? (columns, rows) : (rows, columns)
      // An image without ink would have no box.
      if let digit = DigitImage(
        cutting: isTransposed ? upright : image, height: height, width: width, label: classes.bytes[index])
      {
        digits.append(digit)
      } else {
        blanks += 1
      }
      guard blanks < 1000 || blanks <= digits.count else { break }
    }
    guard blanks <= digits.count else {
      throw MovingDigitsError(
        "\(folder.images): most images are empty (\(blanks) of the first \(blanks + digits.count)). \(IDXReader.advice)"
      )
    }
    try reader.finish()
    guard brightest > 1 else {
      throw MovingDigitsError(
        "\(folder.images): no pixel is above 1, and 255 is white: the images seem to be of 0 and 1. Multiply them by 255."
      )
    }
    guard 2 * whiteCorners <= count else {
      throw MovingDigitsError(
        "\(folder.images): \(whiteCorners) of \(count) images have four white corners: they seem to be dark on white, and "
          + "sequences are bright on black. Invert them: 255 - image.")
    }
    images = digits
    maximumHeight = digits.reduce(0) { max($0, $1.height) }
    maximumWidth = digits.reduce(0) { max($0, $1.width) }
    let origin =
      Self.isMNIST(folder, split, classes.bytes)
      ? "MNIST \(split.rawValue) digits, \(count) images (Y. LeCun, C. Cortes; CC BY-SA 3.0)"
      : "\(split.rawValue) images of \(folder.images.split(separator: "/").last ?? ""), \(count) images"
    provenance = origin + (blanks == 0 ? "" : ", \(blanks) of them without ink and left out")
  }

  public func image(at index: Int) -> DigitImage { images[index] }

  /// Whether these are MNIST's labels; Fashion-MNIST and KMNIST have the same names.
  private static func isMNIST(_ folder: IDXFolder, _ split: DigitSplit, _ labels: [UInt8]) -> Bool {
    let (first, count): ([UInt8], Int) =
      split == .train ? ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], 60_000) : ([7, 2, 1, 0, 4, 1, 4, 9, 5, 9], 10_000)
    return folder.set.isEmpty && labels.count == count && labels.starts(with: first)
  }
}
