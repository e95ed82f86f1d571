/// The run or model that `report` describes, and the page.
public struct ReportRequest: Sendable {
  /// Folder of the run, or a checkpoint.
  public var run: String
  /// Sequence file for the measurements; nil takes the validation file of the run, which may not exist. A checkpoint
  /// needs one.
  public var data: String?
  /// Another run, or a checkpoint, to compare with.
  public var other: String?
  /// Path of the page; nil writes `report.html` into the run folder, or `NAME.html` beside a checkpoint `NAME.h5`.
  public var out: String?

  public init(run: String, data: String?, other: String?, out: String?) {
    self.run = run
    self.data = data
    self.other = other
    self.out = out
  }
}
