import Foundation
import MovingDigits
import TestSupport
import Testing

@Suite("IDX files and MNIST folders")
struct IDXFileTests {
  /// Two images of 3x3 and their labels 1 and 7, as `gzip` packs them.
  private static let packedImages = "H4sIAAAAAAACA2Ng4GBmYGBgAmJmMOZkYOBgYGAHshlY2UAkAGADvx0iAAAA"
  private static let packedLabels = "H4sIAAAAAAACA2Ng4GBkYGBgYmQHAPsI4xIKAAAA"

  private static let images: [UInt8] =
    [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3] + [0, 9, 0, 0, 8, 0, 0, 7, 0] + [0, 0, 0, 5, 6, 0, 0, 0, 0]
  private static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2] + [1, 7]

  private func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Loads the train split from a folder that holds these files.
  private func load(images: [UInt8]?, labels: [UInt8]?, suffix: String = "") throws -> MNISTDigits {
    let folder = try TemporaryDirectory()
    return try withExtendedLifetime(folder) {
      if let images { try write(images, folder.path("train-images-idx3-ubyte\(suffix)")) }
      if let labels { try write(labels, folder.path("train-labels-idx1-ubyte\(suffix)")) }
      do {
        return try MNISTDigits(directory: folder.path, split: .train)
      } catch let error as MovingDigitsError {
        throw MovingDigitsError(error.description.replacingOccurrences(of: folder.path, with: "DIR"))
      }
    }
  }

  @Test("gzipped and plain files give the same digits")
  func loading() throws {
    let packed = try load(
      images: Array(#require(Data(base64Encoded: Self.packedImages))),
      labels: Array(#require(Data(base64Encoded: Self.packedLabels))), suffix: ".gz")
    let plain = try load(images: Self.images, labels: Self.labels)
    for source in [packed, plain] {
      #expect(source.count == 2)
      #expect((source.maximumHeight, source.maximumWidth) == (3, 2))
      #expect(source.image(at: 0).pixels == [9, 8, 7])
      #expect((source.image(at: 1).height, source.image(at: 1).width) == (1, 2))
      #expect(source.image(at: 1).pixels == [5, 6])
      #expect([source.image(at: 0).label, source.image(at: 1).label] == [1, 7])
    }
  }

  @Test("the splits have files of their own")
  func splits() throws {
    let folder = try TemporaryDirectory()
    try write(Self.images, folder.path("t10k-images-idx3-ubyte"))
    try write(Self.labels, folder.path("t10k-labels-idx1-ubyte"))
    #expect(try MNISTDigits(directory: folder.path, split: .test).count == 2)
    #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .train) }
  }

  @Test("every kind of damage has its sentence")
  func damage() throws {
    func changed(_ bytes: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
      var bytes = bytes
      change(&bytes)
      return bytes
    }
    let again = "Delete the file and fetch it again with scripts/get-mnist."
    let four =
      ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
      .map { $0 + "-ubyte.gz" }.joined(separator: ", ")
    let image = "DIR/train-images-idx3-ubyte"
    let label = "DIR/train-labels-idx1-ubyte"
    let table: [(images: [UInt8]?, labels: [UInt8]?, text: String)] = [
      (
        nil, Self.labels,
        "no train-images-idx3-ubyte.gz (nor train-images-idx3-ubyte) in DIR. MNIST is four files: \(four). "
          + "Fetch them with: scripts/get-mnist DIR"
      ),
      (
        Self.images, nil,
        "no train-labels-idx1-ubyte.gz (nor train-labels-idx1-ubyte) in DIR. MNIST is four files: \(four). "
          + "Fetch them with: scripts/get-mnist DIR"
      ),
      (
        Self.labels, Self.labels,
        "\(image) is not an IDX file of bytes with 3 dimensions: its first four bytes should be 0x00000803, "
          + "found 0x00000801. \(again)"
      ),
      (
        Self.images, Array("<html>".utf8),
        "\(label) is not an IDX file of bytes with 1 dimension: its first four bytes should be 0x00000801, "
          + "found 0x3c68746d. \(again)"
      ),
      (
        [], Self.labels,
        "\(image) is not an IDX file of bytes with 3 dimensions: its first four bytes should be 0x00000803, "
          + "found only 0 bytes. \(again)"
      ),
      (Array(Self.images.prefix(9)), Self.labels, "\(image) ends inside its header, after 9 bytes. \(again)"),
      (
        changed(Self.images) { $0[7] = 0 }, Self.labels,
        "\(image) has an impossible shape [0, 3, 3] in its header. \(again)"
      ),
      (
        changed(Self.images) { $0.replaceSubrange(4..<16, with: repeatElement(255, count: 12)) }, Self.labels,
        "\(image) has an impossible shape [4294967295, 4294967295, 4294967295] in its header. \(again)"
      ),
      (
        Array(Self.images.dropLast()), Self.labels,
        "\(image): the header promises 18 bytes of shape [2, 3, 3], but only 17 follow. \(again)"
      ),
      (
        Self.images + [0], Self.labels,
        "\(image): the header promises 18 bytes of shape [2, 3, 3], but more follow. \(again)"
      ),
      (
        Self.images, [0, 0, 8, 1, 0, 0, 0, 3, 1, 7, 2],
        "\(image) holds 2 images but \(label) holds 3 labels: they are not of the same set. "
          + "Delete both and fetch them again with scripts/get-mnist."
      ),
      (
        Self.images, changed(Self.labels) { $0[9] = 10 },
        "\(label): label 1 is 10, expected 0 to 9. \(again)"
      ),
      (
        changed(Self.images) { $0.replaceSubrange(25..<34, with: repeatElement(0, count: 9)) }, Self.labels,
        "\(image): image 1 has no non-zero pixel. \(again)"
      ),
    ]
    for (images, labels, text) in table {
      #expect(throws: MovingDigitsError(text)) { try load(images: images, labels: labels) }
    }
  }

  @Test("a damaged or cut gzip file is refused")
  func damagedGzip() throws {
    let whole = Array(try #require(Data(base64Encoded: Self.packedImages)))
    let labels = Array(try #require(Data(base64Encoded: Self.packedLabels)))
    var wrongSum = whole
    wrongSum[whole.count - 8] ^= 1
    for damaged in [wrongSum, Array(whole.dropLast(12)), Array(whole.dropLast(4))] {
      let error = #expect(throws: MovingDigitsError.self) {
        try load(images: damaged, labels: labels, suffix: ".gz")
      }
      #expect(error?.description.hasPrefix("DIR/train-images-idx3-ubyte.gz cannot be decompressed after byte ") == true)
      #expect(error?.description.hasSuffix("Delete the file and fetch it again with scripts/get-mnist.") == true)
    }
  }

  @Test("get-mnist says what to do where no mirror answers, and leaves nothing behind")
  func getMNISTWithoutMirrors() throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("scripts/get-mnist")
    let folder = try TemporaryDirectory()
    // One mirror without files, one with a wrong file.
    try FileManager.default.createDirectory(atPath: folder.path("wrong"), withIntermediateDirectories: true)
    try write(Self.images, folder.path("wrong/train-images-idx3-ubyte.gz"))
    let process = Process()
    process.executableURL = script
    process.arguments = [folder.path("mnist")]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["MNIST_MIRRORS": "file://\(folder.path("none")) file://\(folder.path("wrong"))"]) { $1 }
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(text.contains("expected f68b3c2dcbeaaa9fbdd348bbdeb94873"))
    #expect(text.contains("no mirror gave a good train-images-idx3-ubyte.gz"))
    #expect(text.contains("built-in stroke digits"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("mnist")).isEmpty)
  }
}
