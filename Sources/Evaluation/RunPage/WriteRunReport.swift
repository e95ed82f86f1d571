import Cluster
import Foundation
import Numerics
import Report
import Runs

/// Writes a page about a run or a model: pictures, curves, results and settings, in one HTML file.
public func writeRunReport(_ request: ReportRequest) throws {
  LinearAlgebra.prepare()
  let communicator = try Job.alone("report")
  try StopSignals.installForCommand()
  let out = request.out ?? defaultPage(of: request.run)
  let outputs = OutputPaths(
    reading: [("run", request.run), ("--data", request.data), ("--compare-with", request.other)])
  try outputs.check(out, .page, option: "--out")
  // A run that is not there has a better message than that its folder is missing.
  if request.out != nil || FileManager.default.fileExists(atPath: request.run) {
    try requireFolder(of: out, option: "--out")
  }
  let summary = try RunSummary(request, communicator)
  if let file = summary.file {
    try OutputPaths(reading: file.files.map { ("data of the run", $0.path) }).check(out, .page, option: "--out")
  }
  try RunPage(summary: summary).page.write(to: out)
  for sentence in summary.missing {
    try? FileHandle.standardError.write(contentsOf: Data("report: missing: \(sentence)\n".utf8))
  }
  print("wrote \(out)")
}

/// `report.html` in the folder of a run, or beside a checkpoint a page of its name.
private func defaultPage(of run: String) -> String {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: run, isDirectory: &isFolder), !isFolder.boolValue else {
    return RunFolder(run).page
  }
  return URL(fileURLWithPath: run).deletingPathExtension().appendingPathExtension("html").relativePath
}
