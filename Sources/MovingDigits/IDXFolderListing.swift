import CZlib
import Foundation

/// What lies in a folder under other names than the published ones, for messages.
struct IDXFolderListing {
  /// Names of files that begin as files of images do, whether packed or not.
  private var images: [String] = []
  /// Those that begin as files of labels do.
  private var labels: [String] = []
  private var others: [String] = []

  /// More files are not opened.
  private static let most = 64

  /// - Parameter folder: empty for the current one.
  init(_ folder: String) {
    let folder = folder.isEmpty ? "." : folder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let unknown = names.filter { name in
      !name.hasPrefix(".") && DigitSplit.allCases.allSatisfy { IDXFileName(name, $0) == nil }
    }
    for name in unknown.sorted().prefix(Self.most) {
      switch Self.firstWord(of: folder + "/" + name) {
      case 0x0803: images.append(name)
      case 0x0801: labels.append(name)
      case _?: others.append(name)
      case nil: break
      }
    }
  }

  /// A sentence or two about the files that may be the one that is missing; nil where there are no others.
  func advice(wanting name: String, isImages: Bool) -> String? {
    if !isImages, let table = others.first(where: { $0.lowercased().contains("labels-idx2-int") }) {
      return
        "'\(table)' holds the labels of QMNIST, a row of eight numbers for each image, which are not read: write the first "
        + "column, as bytes, to \(name.dropLast(3))."
    }
    let fitting = isImages ? images : labels
    guard fitting.isEmpty else {
      let target = fitting[0].lowercased().contains(".gz") ? name : String(name.dropLast(3))
      return
        "\(Self.list(fitting)) \(fitting.count == 1 ? "begins" : "begin") like a file of "
        + "\(isImages ? "images" : "labels"): rename the right one to \(target)."
    }
    return others.isEmpty ? nil : "There are files of other formats: \(Self.list(others))."
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(4).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }

  /// The first four bytes of a file, unpacked, 0 for one that has fewer; nil for what is no file.
  private static func firstWord(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let file = gzopen(path, "rb") else {
      return nil
    }
    defer { gzclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4)
    let count = bytes.withUnsafeMutableBytes { gzread(file, $0.baseAddress!, 4) }
    return count == 4 ? bytes.reduce(0) { $0 << 8 | Int($1) } : 0
  }
}
