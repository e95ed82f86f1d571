import Report
import Runs

/// Runs work with a progress line, and stops it when the process receives a signal.
///
/// - Parameters:
///   - label: the name of the work on the progress line.
///   - total: the units of work of this process.
///   - unit: what is counted, in the plural.
///   - isShown: whether this process shows the line: one of them does, and all have about as much to do.
///   - body: the work. It calls `update` with the number of finished units and must rethrow errors of `update`.
/// - Throws: `Interrupted` if the process received a signal, so that its exit code tells which one, although all
///   processes of a job fail together; otherwise the error of the body.
func withProgress<Result>(
  _ label: String, total: Int, unit: String = "sequences", isShown: Bool = true,
  _ body: (_ update: (Int) throws -> Void) throws -> Result
) throws -> Result {
  let line = isShown ? ProgressLine(label: label, total: UInt64(total), unit: unit) : nil
  return try Interrupted.replacingErrors {
    let result = try body { done in
      line?.update(UInt64(done))
      try Interrupted.throwIfRequested()
    }
    line?.finish()
    return result
  }
}
