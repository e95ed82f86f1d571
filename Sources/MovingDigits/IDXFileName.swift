/// What the name of a file of images or labels says, as MNIST and its relatives are published; see `IDXFolder`.
struct IDXFileName {
  /// The part of the name before the split: "emnist-digits"; empty for MNIST's own names.
  let set: String
  /// Whether the file holds images; otherwise it holds labels.
  let isImages: Bool

  /// Nil for a file of another name, or of another split.
  init?(_ name: String, _ split: DigitSplit) {
    // Copies from some file systems have names in capitals.
    let name = name.lowercased()
    let base = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    for (kind, isImages) in [("images", true), ("labels", false)] {
      for separator in ["-", "."] {
        let ending = "-\(kind)\(separator)idx\(isImages ? 3 : 1)-ubyte"
        guard base.hasSuffix(ending) else { continue }
        let start = base.dropLast(ending.count)
        for word in split == .train ? ["train"] : ["t10k", "test"] where start == word || start.hasSuffix("-" + word) {
          set = start == word ? "" : String(start.dropLast(word.count + 1))
          self.isImages = isImages
          return
        }
      }
    }
    return nil
  }
}
