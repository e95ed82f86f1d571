import Cluster
import Foundation
import Numerics
import Report
import Runs

/// Writes a page about a run: pictures, curves, results and settings, in one HTML file.
public func writeRunReport(_ request: ReportRequest) throws {
  LinearAlgebra.prepare()
  let communicator = try Job.alone("report")
  let out = request.out ?? request.run + "/report.html"
  let outputs = OutputPaths(
    reading: [("run", request.run), ("--data", request.data), ("--compare-with", request.other)])
  try outputs.check(out, .page, option: "--out")
  let summary = try RunSummary(request, communicator) { task in
    try? FileHandle.standardError.write(contentsOf: Data("report: \(task)\n".utf8))
  }
  if let file = summary.file {
    try OutputPaths(reading: [("data of the run", file.path)]).check(out, .page, option: "--out")
  }
  try RunPage(summary: summary).page.write(to: out)
  for sentence in summary.missing {
    try? FileHandle.standardError.write(contentsOf: Data("report: missing: \(sentence)\n".utf8))
  }
  print("wrote \(out)")
}
