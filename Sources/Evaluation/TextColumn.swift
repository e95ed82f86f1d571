extension String {
  /// The text at the right end of a column, after at least one blank.
  ///
  /// - Parameter width: of the column, in characters.
  func rightAligned(in width: Int) -> String { String(repeating: " ", count: Swift.max(1, width - count)) + self }
}
