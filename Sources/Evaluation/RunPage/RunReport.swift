import Cluster
import Foundation
import Numerics
import Report
import Runs

/// Writes a page about a run: settings, curves, pictures and figures, in one HTML file.
public func report(_ request: ReportRequest) throws {
  LinearAlgebra.prepare()
  let communicator = try Job.alone("report")
  let out = request.out ?? request.run + "/report.html"
  let outputs = OutputPaths(reading: [("run", request.run), ("--data", request.data), ("--beside", request.beside)])
  try outputs.check(out, .page, option: "--out")
  let facts = try RunFacts(request, communicator) { task in
    try? FileHandle.standardError.write(contentsOf: Data("report: \(task)\n".utf8))
  }
  if let file = facts.file {
    try OutputPaths(reading: [("data of the run", file.path)]).check(out, .page, option: "--out")
  }
  try RunPage(facts: facts).page.write(to: out)
  for sentence in facts.missing {
    try? FileHandle.standardError.write(contentsOf: Data("report: missing: \(sentence)\n".utf8))
  }
  print("wrote \(out)")
}
