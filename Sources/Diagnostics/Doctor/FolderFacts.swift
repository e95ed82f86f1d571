/// What rank 0 finds in the folder in which a run would write.
package struct FolderFacts: Sendable, Equatable {
  /// The folder itself, or its closest existing ancestor.
  package var path: String
  package var freeBytes: Int?
  /// The reason why nothing can be written, or locked, there; nil if it can.
  package var writingProblem: String?
  package var lockingProblem: String?

  package init(path: String, freeBytes: Int?, writingProblem: String? = nil, lockingProblem: String? = nil) {
    self.path = path
    self.freeBytes = freeBytes
    self.writingProblem = writingProblem
    self.lockingProblem = lockingProblem
  }
}
