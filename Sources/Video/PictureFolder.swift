import Foundation

/// A folder of numbered pictures that together are a video.
package struct PictureFolder {
  /// Absolute paths in the order of their numbers.
  let pictures: [String]
  let height: Int
  let width: Int
  /// What is strange about the names, a sentence each.
  let warnings: [String]

  private static let kinds: [String: String] = ["png": "PNG", "jpg": "JPEG", "jpeg": "JPEG"]

  /// Lists the pictures and compares their sizes; other files, and folders, are ignored.
  init(path: String) throws {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw VideoError(
        path: path, problem: "the folder cannot be listed", hint: "Check the permissions of the folder.")
    }
    func kind(_ name: String) -> String? { Self.kinds[(name as NSString).pathExtension.lowercased()] }
    let folder = URL(fileURLWithPath: path).path
    func isFolder(_ name: String) -> Bool {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder) && isFolder.boolValue
    }
    let found = names.filter { !$0.hasPrefix(".") && kind($0) != nil && !isFolder($0) }.sorted(by: Self.isBefore)
    guard let first = found.first else {
      throw VideoError(
        path: path, problem: "there is no PNG or JPEG picture in the folder",
        hint: "Name a folder of numbered pictures, such as frame-0001.png, or a video file.")
    }
    if let other = found.first(where: { kind($0) != kind(first) }) {
      throw VideoError(
        path: path, problem: "'\(other)' is not of the same kind as '\(first)'",
        hint: "Keep either PNG or JPEG pictures in the folder.")
    }
    if let odd = found.first(where: { $0.contains(where: \.isNewline) }) {
      throw VideoError(
        path: path, problem: "the name '\(odd.filter { !$0.isNewline })' has a line break in it", hint: "Rename it.")
    }
    pictures = found.map { folder + "/" + $0 }
    let size = try PictureSize(of: pictures[0])
    for picture in pictures.dropFirst() {
      let other = try PictureSize(of: picture)
      guard other == size else {
        throw VideoError(
          path: picture,
          problem: "it has \(other.height) x \(other.width) pixels (rows x columns), and the first picture "
            + "'\(first)' has \(size.height) x \(size.width)",
          hint: "The frames of a video have one size: scale the pictures to it, or remove those that do not belong.")
      }
    }
    (height, width) = (size.height, size.width)
    warnings = PictureSeries(found).warnings.map { "\(path): \($0)." }
  }

  /// Whether a name comes first: numbers in names are compared by value, so that `9.png` comes before `10.png`.
  package static func isBefore(_ a: String, _ b: String) -> Bool {
    let (left, right) = (pieces(a), pieces(b))
    for (x, y) in zip(left, right) where x != y {
      guard x.first!.isASCIIDigit, y.first!.isASCIIDigit else { return x < y }
      let (p, q) = (x.drop { $0 == "0" }, y.drop { $0 == "0" })
      if p != q { return p.count != q.count ? p.count < q.count : p < q }
    }
    return left.count != right.count ? left.count < right.count : a < b
  }

  /// A name cut into runs of digits and runs of other characters.
  private static func pieces(_ name: String) -> [Substring] {
    var result: [Substring] = []
    var rest = name[...]
    while let first = rest.first {
      let piece = rest.prefix { $0.isASCIIDigit == first.isASCIIDigit }
      result.append(piece)
      rest = rest[piece.endIndex...]
    }
    return result
  }
}
