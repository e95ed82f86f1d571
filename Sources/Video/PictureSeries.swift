/// What the names of the pictures in a folder say of their order.
package struct PictureSeries {
  /// Why the pictures may not be the frames of one video, a sentence each.
  package private(set) var warnings: [String] = []

  /// A name by its last number: "shot-2-0017.png" is number 17 of "shot-2-".
  private struct Numbered {
    let name: String
    let prefix: Substring
    let number: Double

    /// Nil for a name without a number.
    init?(_ name: String) {
      let stem = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
      guard let last = stem.lastIndex(where: \.isASCIIDigit) else { return nil }
      let digits = stem[...last].reversed().prefix { $0.isASCIIDigit }.count
      let start = stem.index(last, offsetBy: 1 - digits)
      guard let number = Double(stem[start...last]) else { return nil }
      (self.name, prefix, self.number) = (name, stem[..<start], number)
    }
  }

  /// - Parameter names: those of the pictures, in their order.
  package init(_ names: [String]) {
    let pictures = names.compactMap { Numbered($0) }
    guard pictures.count == names.count else { return }
    reviewPrefixes(pictures)
    reviewNumbers(pictures)
  }

  /// Two videos in one folder differ before the last number. So do numbers that stand elsewhere and times of day, but
  /// those in nearly every name.
  private mutating func reviewPrefixes(_ pictures: [Numbered]) {
    let changes = zip(pictures, pictures.dropFirst()).filter { $0.0.prefix != $0.1.prefix }
    guard let (before, after) = changes.first, 4 * changes.count <= pictures.count else { return }
    warnings.append(
      "'\(after.name)' follows '\(before.name)': the pictures of \(changes.count + 1) series are taken as one video. If "
        + "they are videos of their own, put them into folders of their own")
  }

  /// Numbers of frames advance by equal steps; times in names by about equal ones.
  private mutating func reviewNumbers(_ pictures: [Numbered]) {
    let pairs = zip(pictures, pictures.dropFirst()).filter { $0.0.prefix == $0.1.prefix }
    let steps = pairs.map { $0.1.number - $0.0.number }
    guard !steps.isEmpty else { return }
    let usual = steps.sorted()[steps.count / 2]
    let gaps = pairs.indices.filter { steps[$0] > 1.5 * usual }
    guard let gap = gaps.first, 4 * gaps.count <= pictures.count else { return }
    warnings.append(
      "'\(pairs[gap].1.name)' follows '\(pairs[gap].0.name)'"
        + (gaps.count > 1 ? ", and there are \(gaps.count - 1) more such gaps" : "")
        + ": pictures seem to be missing, and the video continues as if none were")
  }
}

extension Character {
  var isASCIIDigit: Bool { isASCII && isNumber }
}
