import Runs

/// Write a page about a run.
public struct ReportRequest: Sendable {
  /// Folder of the run.
  public var run: String
  /// Sequence file to measure on; nil takes the validation file of the run, which may be missing.
  public var data: String?
  /// Another run, or a checkpoint, to compare with.
  public var beside: String?
  /// The page; nil writes `report.html` into the folder of the run.
  public var out: String?

  public init(run: String, data: String? = nil, beside: String? = nil, out: String? = nil) {
    self.run = run
    self.data = data
    self.beside = beside
    self.out = out
  }
}
