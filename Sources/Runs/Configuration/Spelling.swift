/// "Did you mean": the known word that a mistyped one is nearest to, by edit distance.
///
/// Case, `_` and `-` do not count, so `learning_rate` is `learningRate`.
public enum Spelling {
  /// `; did you mean WORD?` for the nearest known word, or nothing if none is near.
  public static func suggestion(for word: String, among known: [String]) -> String {
    nearest(to: word, among: known).map { "; did you mean \($0)?" } ?? ""
  }

  /// `; did you mean KEY.PATH?` for the nearest known key path, or nothing if none is near.
  ///
  /// A path whose last word is right counts as near, whatever stands before it: `learningRate` finds
  /// `training.optimizer.learningRate`. Of several such paths the shortest is taken.
  static func suggestion(forKeyPath path: String, among known: [String]) -> String {
    if let whole = nearest(to: path, among: known) { return "; did you mean \(whole)?" }
    let paths = known.sorted { ($0.count, $0) < ($1.count, $1) }
    let words = paths.map(lastWord)
    guard let word = nearest(to: lastWord(of: path), among: words), let index = words.firstIndex(of: word)
    else { return "" }
    return "; did you mean \(paths[index])?"
  }

  /// The known word at the smallest distance, the first of equals; nil if it takes more than three edits, or more
  /// than a third of the letters.
  static func nearest(to word: String, among known: [String]) -> String? {
    let letters = plainLetters(of: word)
    let limit = max(1, min(3, letters.count / 3))
    var nearest: (word: String, distance: Int)?
    for candidate in known {
      let others = plainLetters(of: candidate)
      // As many edits at least as the lengths differ by.
      guard abs(others.count - letters.count) <= limit else { continue }
      let edits = distance(letters, others)
      if edits <= limit, edits < nearest?.distance ?? .max { nearest = (candidate, edits) }
    }
    return nearest?.word
  }

  private static func lastWord(of path: String) -> String {
    path.split(separator: ".").last.map(String.init) ?? path
  }

  private static func plainLetters(of word: String) -> [Character] {
    word.lowercased().filter { $0 != "_" && $0 != "-" }
  }

  /// Fewest edits that turn one word into the other: insert, delete or replace a letter, or swap two neighbours.
  static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var rows = [Array(0...second.count)]
    for i in first.indices {
      var row = [i + 1]
      for j in second.indices {
        let replaced = rows[i][j] + (first[i] == second[j] ? 0 : 1)
        row.append(min(rows[i][j + 1] + 1, row[j] + 1, replaced))
        if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
          row[j + 1] = min(row[j + 1], rows[i - 1][j - 1] + 1)
        }
      }
      rows.append(row)
    }
    return rows[first.count][second.count]
  }
}
