import Foundation

/// The images and labels of a split in a folder, under the names that MNIST and its relatives are published with.
///
/// These are `train-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz` (MNIST, Fashion-MNIST, KMNIST) and
/// `emnist-digits-test-images-idx3-ubyte.gz` (EMNIST's sets), unpacked without `.gz`, with a dot before `idx`, and in
/// folders of the same names or others below.
struct IDXFolder {
  let images: String
  let labels: String
  /// The part of the names before the split: "emnist-digits"; empty for MNIST's own names.
  let set: String

  /// How deep folders below are searched; packages hold `MNIST/raw` and the like.
  private static let depth = 3

  /// A file by the parts of its name.
  private struct Entry {
    let path: String
    let set: String
    let isImages: Bool
    let level: Int
  }

  /// Finds the files of a split.
  ///
  /// - Parameter directory: a folder, or in a folder of several sets the folder and the name of one:
  ///   `gzip/emnist-digits`, or `gzip/mnist` for MNIST's own names.
  /// - Throws: ``MovingDigitsError`` if there are none, or those of several sets.
  init(_ directory: String, split: DigitSplit) throws {
    guard !Self.isFile(directory) else {
      throw MovingDigitsError("\(directory) is a file. Name the folder that holds the files of images and labels.")
    }
    var folder = directory
    var wanted: String?
    if !Self.isFolder(directory), Self.isFolder((directory as NSString).deletingLastPathComponent) {
      (folder, wanted) = ((directory as NSString).deletingLastPathComponent, (directory as NSString).lastPathComponent)
    }
    var entries: [Entry] = []
    Self.search(folder, split, level: 0, &entries)
    if let wanted = wanted?.lowercased() {
      entries = entries.filter { $0.set == wanted || ($0.set.isEmpty && wanted == "mnist") }
    }
    // What lies higher is meant.
    let level = entries.map(\.level).min()
    let sets = Set(entries.filter { $0.level == level }.map(\.set)).sorted()
    guard sets.count <= 1 else {
      throw MovingDigitsError(
        "there are several sets of images in \(folder): \(sets.map { $0.isEmpty ? "mnist" : $0 }.joined(separator: ", ")). "
          + "Name one: \(folder)/\(sets.last!).")
    }
    let set = sets.first ?? ""
    func find(_ isImages: Bool) throws -> String {
      if let entry = entries.first(where: { $0.isImages == isImages && $0.set == set }) { return entry.path }
      let archives = Self.archives(in: folder)
      if !archives.isEmpty {
        let arrays = archives.allSatisfy { $0.lowercased().hasSuffix(".npz") || $0.lowercased().hasSuffix(".parquet") }
        throw MovingDigitsError(
          "there are no \(isImages ? "images" : "labels") of the \(split == .train ? "training" : "test") split in "
            + "\(directory), but \(archives.joined(separator: ", ")). "
            + (arrays
              ? "These are not IDX files: MNIST and its relatives are published as files *-idx3-ubyte.gz too, get those."
              : "Unpack it there first."))
      }
      let name = "\(split == .train ? "train" : "t10k")-\(isImages ? "images-idx3" : "labels-idx1")-ubyte.gz"
      let published = set.isEmpty ? name : "\(set)-\(name)"
      // A set that is not there may be a folder that is not there, of whose files nothing can be said.
      let home = entries.first.map { ($0.path as NSString).deletingLastPathComponent } ?? (wanted == nil ? folder : nil)
      let advice = home.flatMap { IDXFolderListing($0).advice(wanting: published, isImages: isImages) }
      throw MovingDigitsError(
        "no \(name) (nor \(name.dropLast(3)), nor one of EMNIST's names) in \(directory). "
          + (advice.map { $0 + " " } ?? "") + "MNIST is four files: \(MNISTDigits.fileNames.joined(separator: ", ")). "
          + "Fetch them into a new folder with: scripts/get-mnist DIRECTORY")
    }
    (images, labels) = (try find(true), try find(false))
    self.set = set
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path.isEmpty ? "." : path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  /// Archives in which such files are published.
  private static func archives(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    return names.filter { name in
      [
        ".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".npz", ".parquet",
      ].contains { name.lowercased().hasSuffix($0) }
    }.sorted()
  }

  private static func search(_ folder: String, _ split: DigitSplit, level: Int, _ entries: inout [Entry]) {
    // The published name first: "a.gz" before "a" is the reverse of the order of names.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    var below: [String] = []
    for name in names.sorted(by: >) {
      let path = folder.isEmpty ? name : folder + "/" + name
      if isFolder(path) {
        below.append(path)
      } else if let file = IDXFileName(name, split) {
        entries.append(Entry(path: path, set: file.set, isImages: file.isImages, level: level))
      }
    }
    guard level < depth else { return }
    for path in below.reversed() { search(path, split, level: level + 1, &entries) }
    entries.sort { $0.level < $1.level }
  }
}
