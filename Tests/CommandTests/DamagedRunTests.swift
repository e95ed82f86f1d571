import Foundation
import TestSupport
import Testing

/// A run whose smaller files were damaged is resumed, and nothing of them is lost.
@Suite struct DamagedRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  private func text(_ name: String) throws -> String { try String(contentsOfFile: toy.path(name), encoding: .utf8) }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: toy.path(name)))
  }

  @Test(arguments: ["\"train/kl:1}", "{\"step\":4e300}", "\0\0\0", "garbage", "{\"step\":-1}", "[[[[[[", "{\"step\":2"])
  func badLinesOfTheMetricsAreSetAside(line: String) throws {
    try #require(try toy.train("run", "--steps", "4").exitCode == 0)
    var lines = try text("run/metrics.jsonl").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines[1] = line
    try write(lines.joined(separator: "\n"), "run/metrics.jsonl")
    let resumed = try toy.train("run", "--steps", "6")
    #expect(resumed.exitCode == 0, "\(resumed)")
    let aside = toy.path("run/metrics.jsonl.unreadable-1")
    #expect(
      resumed.standardError.contains(
        "warning: 1 line of '\(toy.path("run/metrics.jsonl"))' cannot be read; they are in '\(aside)' now"),
      "\(resumed)")
    #expect(try text("run/metrics.jsonl.unreadable-1") == line + "\n")
    #expect(toy.loggedSteps("run") == [1, 3, 4, 5, 6])
    let report = try ToyRun.program(["report", toy.path("run")])
    #expect(report.exitCode == 0, "\(report)")
  }

  @Test func aReportLeavesBadLinesOut() throws {
    try #require(try toy.train("run", "--steps", "4").exitCode == 0)
    try write(try text("run/metrics.jsonl") + "{\"step\":4e300}\n", "run/metrics.jsonl")
    let report = try ToyRun.program(["report", toy.path("run")])
    #expect(report.exitCode == 0 && report.standardError.contains("1 line of "), "\(report)")
  }

  @Test(arguments: ["config.json", "incidents.log", "data-digests.h5"])
  func otherDamagedFilesAreSetAside(name: String) throws {
    try #require(try toy.train("run", "--steps", "4").exitCode == 0)
    try write("\0\0garbage", "run/\(name)")
    let resumed = try toy.train("run", "--steps", "6")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("it is now '\(toy.path("run/\(name)")).damaged-1'"), "\(resumed)")
    #expect(try text("run/\(name).damaged-1") == "\0\0garbage")
    #expect(toy.loggedSteps("run") == [1, 2, 3, 4, 5, 6])
  }
}
