import Foundation
import Storage
import TestSupport
import Testing

/// No command writes over what it did not make.
@Suite struct OutputTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  private func write(_ text: String, _ name: String) throws {
    let path = toy.path(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Runs a command that must be refused with these words and touch nothing.
  private func expectRefusal(_ arguments: [String], _ words: String..., ranks: Int = 1) throws {
    let before = try ToyRun.snapshot(toy.folder.path)
    let outcome = try ToyRun.program(arguments, ranks: ranks)
    #expect(outcome.exitCode == 1, "\(arguments): \(outcome)")
    for word in words { #expect(outcome.standardError.contains(word), "\(arguments): \(outcome)") }
    #expect(try ToyRun.snapshot(toy.folder.path) == before, "\(arguments)")
  }

  @Test func noReportReplacesWhatItReadsOrWhatOthersMade() throws {
    try #require(try toy.train("run", "--valid", toy.data).exitCode == 0)
    try write("thesis", "thesis.html")
    try FileManager.default.createSymbolicLink(atPath: toy.path("link.html"), withDestinationPath: "thesis.html")
    for out in [toy.data, toy.path("thesis.html"), toy.path("link.html"), toy.checkpointPath("run", step: 8)] {
      try expectRefusal(["report", toy.path("run"), "--out", out], out)
      try expectRefusal(["report", toy.path("run"), "--data", toy.data, "--out", out], out)
    }
    try expectRefusal(
      ["report", toy.path("run"), "--data", toy.data, "--out", toy.data], "is read by this command (--data)")
    try expectRefusal(["report", toy.path("run"), "--out", toy.path("no/such/page.html")], "there is no folder")
    // Its own page is renewed.
    for _ in 0..<2 {
      let outcome = try ToyRun.program(["report", toy.path("run"), "--out", toy.path("page.html")])
      #expect(outcome.exitCode == 0, "\(outcome)")
    }
  }

  @Test func noPictureReplacesOneOfOthers() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    let model = ["--checkpoint", toy.path("run")], data = ["--data", toy.data]
    let commands: [(name: String, arguments: [String], files: [String])] = [
      (
        "generate", model + data + ["--condition", "2", "--frames", "4", "--futures", "2", "--sequences", "2"],
        ["imagination.h5", "futures-000.png", "futures-001.gif", "paths.png", "prediction-error.png"]
      ),
      ("sample", model + ["--sequences", "2", "--frames", "2"], ["imagination.h5", "samples.png", "samples.gif"]),
      ("reconstruct", model + data + ["--sequences", "2"], ["reconstruction.png"]),
    ]
    for (name, arguments, files) in commands {
      for file in files {
        try write("mine", "\(name)-\(file)/\(file)")
        try expectRefusal([name] + arguments + ["--out", toy.path("\(name)-\(file)")], "\(file)' exists and is not ")
      }
      for _ in 0..<2 {
        let outcome = try ToyRun.program([name] + arguments + ["--out", toy.path(name)])
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
    }
  }

  @Test func aLinkToNothingIsNoFolder() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    try FileManager.default.createSymbolicLink(atPath: toy.path("link"), withDestinationPath: "nothing")
    try expectRefusal(
      ["sample", "--checkpoint", toy.path("run"), "--out", toy.path("link")],
      "link' is a link to 'nothing', which does not exist.")
  }

  @Test func anExportReplacesOnlyAnExport() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    try write("mine", "thesis.h5")
    let export = ["export", "--checkpoint", toy.path("run"), "--force", "--out"]
    for out in [toy.path("thesis.h5"), toy.checkpointPath("run", step: 2), toy.data] {
      try expectRefusal(export + [out], "exists and is not a file of `sqair-dist export`")
    }
    for number in 0..<2 {
      let outcome = try ToyRun.program(export + [toy.path("model.h5")])
      #expect(outcome.exitCode == 0 && outcome.standardOutput.hasPrefix("replaced ") == (number == 1), "\(outcome)")
    }
  }

  @Test func dataReplacesOnlyItsOwnFilesAndSaysWhich() throws {
    func arguments(_ out: String, _ options: String...) -> [String] {
      ["data", "moving-digits", "--sequences", "2", "--frames", "2", "--out", toy.path(out)] + options
    }
    try write("mine", "thesis.h5")
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    for out in ["thesis.h5", "run/checkpoints/step-0000000002.h5"] {
      try expectRefusal(arguments(out, "--force"), "exists and is not a file of `sqair-dist data`")
    }
    #expect(try ToyRun.program(arguments("own.h5")).exitCode == 0)
    try expectRefusal(arguments("own.h5"), "the file exists")
    try expectRefusal(arguments("own.h5", "--force", "--mean-from", toy.path("own.h5")), "(--mean-from)")
    let outcome = try ToyRun.program(arguments("own.h5", "--force", "--seed", "1"))
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardOutput.hasPrefix("replaced \(toy.path("own.h5")), which was sqair-dist/sequences v1 2x2x50x50 "),
      "\(outcome)")
  }

  @Test(arguments: [
    ("config.json", #"{"my":"web app"}"#), ("metrics.jsonl", "{\"epoch\":1}\n"), (".lock", "mine"),
    ("incidents.log", "my log\n"), ("data-digests.h5", "mine"),
    ("config.json", #"{"base":"quick","training":{"steps":1}}"#),
  ])
  func aFolderOfOthersIsNoRunFolder(name: String, content: String) throws {
    try write(content, "run/\(name)")
    for option in ["--steps=2", "--fresh"] {
      try expectRefusal(toy.arguments("run", [option]), "/run/\(name)' exists and is not ", "with --run")
    }
    try expectRefusal(toy.arguments("run"), "/run/\(name)' exists and is not ", ranks: 2)
  }

  @Test(arguments: [".lock", "config.json", "metrics.jsonl", "incidents.log"])
  func aLinkInTheRunFolderIsNotFollowed(name: String) throws {
    try write("thesis", "thesis")
    try FileManager.default.createDirectory(atPath: toy.path("run"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: toy.path("run/\(name)"), withDestinationPath: "../thesis")
    try expectRefusal(toy.arguments("run"), "/run/\(name)' is a symbolic link to '../thesis'")
  }

  /// A complete configuration, which could be one that a run has written.
  @Test func theConfigurationThatIsReadIsNotReplaced() throws {
    let complete = try ToyRun.program(["config", toy.configuration]).standardOutput
    try write(complete, "run/config.json")
    let arguments = ["train", "--config", toy.path("run/config.json"), "--run", toy.path("run"), "--data", toy.data]
    try expectRefusal(arguments + ["--steps", "2"], "is read by this command (--config)")
    // A run may be resumed with its own.
    try #require(try toy.train("own", "--steps", "2").exitCode == 0)
    let resumed = try ToyRun.program([
      "train", "--config", toy.path("own/config.json"), "--run", toy.path("own"), "--steps", "4",
    ])
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("own") == [1, 2, 3, 4])
  }

  @Test func aRunThatHasLostItsLockStopsBeforeItWrites() throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", ["--steps", "1000000"]), environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(3, of: "run"))
    try FileManager.default.removeItem(atPath: toy.path("run/.lock"))
    let outcome = try running.wait(timeout: 30)
    #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains("/run/.lock' was removed or replaced while the run was in progress"))
    // The run is whole.
    let last = try #require(try toy.checkpointSteps("run").last ?? 0)
    let resumed = try toy.train("run", "--steps", "\(last + 2)")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...last + 2))
  }
}
