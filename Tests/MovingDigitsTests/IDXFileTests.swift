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
    let again = "Get a good copy: scripts/get-mnist FOLDER fetches MNIST's own files into a folder."
    let four =
      ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
      .map { $0 + "-ubyte.gz" }.joined(separator: ", ")
    let image = "DIR/train-images-idx3-ubyte"
    let label = "DIR/train-labels-idx1-ubyte"
    let table: [(images: [UInt8]?, labels: [UInt8]?, text: String)] = [
      (
        nil, Self.labels,
        "no train-images-idx3-ubyte.gz (nor train-images-idx3-ubyte, nor one of EMNIST's names) in DIR. MNIST is four files: \(four). "
          + "Fetch them into a new folder with: scripts/get-mnist DIRECTORY"
      ),
      (
        Self.images, nil,
        "no train-labels-idx1-ubyte.gz (nor train-labels-idx1-ubyte, nor one of EMNIST's names) in DIR. MNIST is four files: \(four). "
          + "Fetch them into a new folder with: scripts/get-mnist DIRECTORY"
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
        "\(image): the header announces 18 bytes of shape [2, 3, 3], but only 17 follow. \(again)"
      ),
      (
        Self.images + [0], Self.labels,
        "\(image): the header announces 18 bytes of shape [2, 3, 3], but more follow. \(again)"
      ),
      (
        Self.images, [0, 0, 8, 1, 0, 0, 0, 3, 1, 7, 2],
        "\(image) holds 2 images but \(label) holds 3 labels: they do not belong together. "
          + "Put the two files of one set into a folder."
      ),
      (
        Self.images, changed(Self.labels) { $0[9] = 255 },
        "\(label): label 1 is 255, expected 0 to 254. \(again)"
      ),
      (
        changed(Self.images) { $0.replaceSubrange(16..<34, with: repeatElement(0, count: 18)) }, Self.labels,
        "\(image): most images are empty (2 of the first 2). \(again)"
      ),
      (
        changed(Self.images) { $0[6] = 200 }, Self.labels,
        "\(image): the header announces 460818 bytes of shape [51202, 3, 3], more than a file of 34 bytes holds. \(again)"
      ),
    ]
    for (images, labels, text) in table {
      #expect(throws: MovingDigitsError(text)) { try load(images: images, labels: labels) }
    }
  }

  @Test("the names of MNIST's relatives are found, in folders too")
  func names() throws {
    let letters: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2] + [1, 26]
    let table = [
      ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
      ("TRAIN-IMAGES-IDX3-UBYTE", "Train-Labels.IDX1-ubyte"),
      ("train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte"),
      ("train-images-idx3-ubyte/train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
      ("MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"),
      ("gzip/emnist-letters-train-images-idx3-ubyte", "gzip/emnist-letters-train-labels-idx1-ubyte"),
    ]
    for (images, labels) in table {
      let folder = try TemporaryDirectory()
      for name in [images, labels] where name.contains("/") {
        try FileManager.default.createDirectory(
          atPath: (folder.path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      }
      try write(Self.images, folder.path(images))
      try write(letters, folder.path(labels))
      let source = try MNISTDigits(directory: folder.path, split: .train)
      #expect(source.count == 2 && source.image(at: 1).label == 26)
      // EMNIST's images lie on their sides.
      let isTransposed = images.contains("emnist")
      #expect((source.image(at: 0).height, source.image(at: 0).width) == (isTransposed ? (1, 3) : (3, 1)), "\(images)")
      #expect(!source.provenance.hasPrefix("MNIST"))
    }
  }

  @Test("an archive is to be unpacked, and a file is not a folder")
  func archives() throws {
    let folder = try TemporaryDirectory()
    for name in ["emnist.zip", "notes.txt"] { try write([0x50, 0x4B], folder.path(name)) }
    for (path, text) in [
      (folder.path, "but emnist.zip. Unpack it there first"), (folder.path("emnist.zip"), "is a file"),
    ] {
      let error = try #require(throws: MovingDigitsError.self) { _ = try MNISTDigits(directory: path, split: .train) }
      #expect("\(error)".contains(text), "\(error)")
    }
  }

  @Test("files in other packings are named, and arrays are not called packed")
  func otherPackings() throws {
    for (name, text) in [
      ("train-images-idx3-ubyte.xz", "Unpack it there first."), ("kmnist-train-imgs.npz", "These are not IDX files"),
    ] {
      let folder = try TemporaryDirectory()
      try write([1], folder.path(name))
      let error = #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .train) }
      #expect(error?.description.contains("but \(name). \(text)") == true, "\(String(describing: error))")
    }
  }

  @Test("files under other names are listed, with the name that they need")
  func otherNames() throws {
    let table: [(files: [String: [UInt8]], text: String)] = [
      (
        ["train-images-idx3-ubyte (1)": Self.images],
        "'train-images-idx3-ubyte (1)' begins like a file of images: rename the right one to train-images-idx3-ubyte."
      ),
      (["mnist.mat": [1, 2, 3, 4], "mnist.csv": [5]], "There are files of other formats: 'mnist.csv', 'mnist.mat'."),
      (
        ["qmnist-train-images-idx3-ubyte": Self.images, "qmnist-train-labels-idx2-int": [0, 0, 12, 2]],
        "'qmnist-train-labels-idx2-int' holds the labels of QMNIST, a row of eight numbers for each image, which are not "
          + "read: write the first column, as bytes, to qmnist-train-labels-idx1-ubyte."
      ),
    ]
    for (files, text) in table {
      let folder = try TemporaryDirectory()
      for (name, bytes) in files { try write(bytes, folder.path(name)) }
      let error = #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .train) }
      #expect(error?.description.contains(" in \(folder.path). \(text)") == true, "\(String(describing: error))")
    }
  }

  @Test("MNIST itself beside another set is named mnist")
  func besideAnotherSet() throws {
    let folder = try TemporaryDirectory()
    for prefix in ["", "emnist-mnist-"] {
      try write(Self.images, folder.path("\(prefix)train-images-idx3-ubyte"))
      try write(Self.labels, folder.path("\(prefix)train-labels-idx1-ubyte"))
    }
    let error = #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .train) }
    #expect(error?.description.contains("several sets of images in \(folder.path): mnist, emnist-mnist.") == true)
    // The images of the one lie on their sides.
    #expect(try MNISTDigits(directory: folder.path + "/mnist", split: .train).image(at: 0).height == 3)
    #expect(try MNISTDigits(directory: folder.path + "/emnist-mnist", split: .train).image(at: 0).height == 1)
  }

  @Test("one of several sets in a folder is to be named")
  func severalSets() throws {
    let folder = try TemporaryDirectory()
    for set in ["digits", "letters"] {
      try write(Self.images, folder.path("emnist-\(set)-test-images-idx3-ubyte"))
      try write(Self.labels, folder.path("emnist-\(set)-test-labels-idx1-ubyte"))
    }
    let error = #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .test) }
    #expect(
      error?.description.contains("several sets of images in \(folder.path): emnist-digits, emnist-letters") == true)
    #expect(try MNISTDigits(directory: folder.path + "/emnist-letters", split: .test).count == 2)
  }

  @Test("images without ink are left out")
  func blank() throws {
    var images = Self.images
    images.replaceSubrange(25..<34, with: repeatElement(0, count: 9))
    let source = try load(images: images, labels: Self.labels)
    #expect(source.count == 1 && source.provenance.hasSuffix("2 images, 1 of them without ink and left out"))
  }

  @Test("images of 0 and 1, and images dark on white, are refused with the remedy")
  func range() throws {
    let header = Array(Self.images.prefix(16)), pixels = Self.images.dropFirst(16)
    for (images, text) in [
      (header + pixels.map { $0 > 0 ? 1 : 0 }, "no pixel is above 1"),
      (header + pixels.map { 255 - $0 }, "2 of 2 images have four white corners"),
    ] {
      let error = #expect(throws: MovingDigitsError.self) { try load(images: images, labels: Self.labels) }
      let message = error?.description ?? "nothing was thrown"
      #expect(message.hasPrefix("DIR/train-images-idx3-ubyte: \(text)"), "\(message)")
    }
  }

  @Test("a pipe in place of a file is refused at once")
  func pipe() throws {
    let folder = try TemporaryDirectory()
    #expect(mkfifo(folder.path("train-images-idx3-ubyte"), 0o600) == 0)
    try write(Self.labels, folder.path("train-labels-idx1-ubyte"))
    let error = #expect(throws: MovingDigitsError.self) { try MNISTDigits(directory: folder.path, split: .train) }
    #expect(error?.description.contains("train-images-idx3-ubyte is no regular file") == true)
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
      #expect(
        error?.description.hasSuffix(
          " Get a good copy: scripts/get-mnist FOLDER fetches MNIST's own files into a folder.") == true)
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
    #expect(text.contains("no mirror has a valid train-images-idx3-ubyte.gz"))
    #expect(text.contains("built-in stroke digits"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("mnist")).isEmpty)
  }

  /// Fashion-MNIST and KMNIST have files of the same names.
  @Test func getMNISTReplacesNoFile() throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("scripts/get-mnist")
    let folder = try TemporaryDirectory()
    let other = folder.path("train-images-idx3-ubyte.gz")
    try write(Self.images, other)
    let outcome = try ProcessRunner.run(script.path, [folder.path])
    #expect(outcome.exitCode == 1 && outcome.standardError.contains("exists and is not MNIST's"), "\(outcome)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == Data(Self.images))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
  }
}
