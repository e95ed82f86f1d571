import Foundation
import Storage
import TestSupport
import Testing

/// `sqair-dist report`: one page that a browser shows without complaint, whatever the run has and lacks.
@Suite struct ReportCommandTests {
  private let toy: ToyRun
  /// A name that no page may take for markup.
  private static let run = "a<b>&\"c'"

  init() throws {
    toy = try ToyRun()
    let outcome = try toy.train(Self.run, "--steps", "6", "--valid", toy.data, "--set", "validation.interval=3")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  private func report(_ options: String..., run: String = ReportCommandTests.run) throws -> (
    text: String, outcome: ProcessOutcome
  ) {
    let outcome = try ToyRun.program(["report", toy.path(run), "--out", toy.path("page.html")] + options)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput == "wrote \(toy.path("page.html"))\n")
    return (try String(contentsOfFile: toy.path("page.html"), encoding: .utf8), outcome)
  }

  @Test func aPageHasEverythingOfTheRun() throws {
    let (text, outcome) = try report()
    for anchor in ["reconstructions", "continuations", "training", "counting", "settings"] {
      #expect(text.contains("<section id=\"\(anchor)\">"), "\(anchor)")
    }
    #expect(text.contains("<h1>a&lt;b&gt;&amp;&quot;c&#39;</h1>") && !text.contains("a<b>"))
    #expect(text.contains("data:image/gif;base64,") && text.contains("data:image/png;base64,"))
    // The settings of the toy model are nearest to `quick`.
    #expect(text.contains("Differences from the preset <code>quick</code>") && text.contains("<th>in quick</th>"))
    #expect(text.contains("<td><code>model.hiddenSize</code></td><td>32</td><td>128</td>"))
    #expect(text.contains("6 of 6 updates on 3 frames, batch 8, 3 particles, seed 0"))
    #expect(!text.contains("class=\"missing\""), "\(outcome)")
    #expect(!outcome.standardError.contains("missing"))
    #expect(!text.contains("<script") && !text.contains("http:") && !text.contains("https:"))
    // A page is a function of the run.
    #expect(try report().text == text)
  }

  @Test func withoutOutItLiesInTheFolderOfTheRun() throws {
    let outcome = try ToyRun.program(["report", toy.path(Self.run)])
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(FileManager.default.fileExists(atPath: toy.path(Self.run) + "/report.html"))
  }

  @Test func twoRunsStandBesideEachOther() throws {
    let other = try toy.train("other", "--steps", "4", "--valid", toy.data, "--seed", "5")
    try #require(other.exitCode == 0, "\(other)")
    let text = try report("--compare-with", toy.path("other")).text
    #expect(text.contains("<section id=\"comparison\">") && text.contains("<th scope=\"col\">other</th>"))
    #expect(text.contains("<th scope=\"row\">updates</th><td>6</td><td>4</td>"))
  }

  @Test func aModelFileHasAPageWithoutCurves() throws {
    let model = toy.path("small.h5")
    let exported = try ToyRun.program(["export", "--checkpoint", toy.path(Self.run), "--out", model])
    try #require(exported.exitCode == 0, "\(exported)")
    let outcome = try ToyRun.program(["report", model, "--data", toy.data])
    #expect(outcome.exitCode == 0 && outcome.standardOutput == "wrote \(toy.path("small.html"))\n", "\(outcome)")
    let text = try String(contentsOfFile: toy.path("small.html"), encoding: .utf8)
    #expect(text.contains("<section id=\"counting\">") && text.contains("results of a model"))
    #expect(!text.contains("<section id=\"training\">") && !text.contains("class=\"missing\""))
    let without = try ToyRun.program(["report", model])
    #expect(without.exitCode == 1 && without.standardError.contains("with --data"), "\(without)")
  }

  @Test func aModelWithoutObjectsHasNothingToCountOrFollow() throws {
    let other = try toy.train("vrnn", "--model", "vrnn", "--steps", "2", "--valid", toy.data)
    try #require(other.exitCode == 0, "\(other)")
    let text = try report(run: "vrnn").text
    #expect(text.contains("<section id=\"reconstructions\">") && text.contains("<section id=\"continuations\">"))
    #expect(!text.contains("<section id=\"counting\">") && !text.contains("<section id=\"tracking\">"))
    // Counts and objects while it was trained; appearance, distance and motion of what it generates.
    #expect(text.components(separatedBy: "This model has no objects.").count - 1 == 5)
    #expect(!text.contains("The true tracks are not known"))
  }

  @Test func whatIsMissingIsNamed() throws {
    // No truth.
    let plain = try ToySequences.write(to: toy.path("plain.h5"), hasTruth: false)
    var text = try report("--data", plain).text
    #expect(text.contains("has no /counts") && text.contains("no boxes with identities"))
    #expect(!text.contains("<section id=\"counting\">") && text.contains("<section id=\"continuations\">"))
    // No data.
    let bare = try toy.train("bare", "--steps", "2")
    try #require(bare.exitCode == 0, "\(bare)")
    text = try report(run: "bare").text
    #expect(text.contains("no validation file") && text.contains("<section id=\"training\">"))
    #expect(!text.contains("<section id=\"reconstructions\">"))
    // No checkpoint and no metrics.
    try FileManager.default.removeItem(atPath: toy.path("bare/checkpoints"))
    try FileManager.default.removeItem(atPath: toy.path("bare/metrics.jsonl"))
    text = try report(run: "bare").text
    #expect(text.contains("there are no curves") && text.contains("there is no checkpoint in"))
    // Frames without a successor.
    let single = try ToySequences.write(to: toy.path("single.h5"), frames: 1)
    text = try report("--data", single).text
    #expect(text.contains("<section id=\"reconstructions\">") && !text.contains("<section id=\"continuations\">"))
  }

  @Test func aSignalEndsItWithAMessage() throws {
    let trained = try toy.train("slow", "--steps", "1", "--set", "validation.particles=2000")
    try #require(trained.exitCode == 0, "\(trained)")
    let data = try ToySequences.write(to: toy.path("many.h5"), sequences: 500, hasTruth: false)
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(), ["report", toy.path("slow"), "--data", data], environment: MPILauncher.environment)
    usleep(1_000_000)
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 143, "\(outcome)")
    #expect(outcome.standardError.hasSuffix("error: stopped by SIGTERM\n"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: toy.path("slow/report.html")))
  }

  @Test func whatCannotBeReportedIsRefused() throws {
    for (arguments, words) in [
      (["report", toy.path("nowhere")], "does not exist"),
      (["report", toy.path(Self.run), "--data", toy.path("nowhere.h5")], "there is no such file"),
      (["report", toy.path(Self.run), "--beside", toy.path("nowhere")], "nowhere"),
      (["report", toy.folder.path], "neither a checkpoint nor a config.json"),
    ] {
      let outcome = try ToyRun.program(arguments)
      #expect(outcome.exitCode == 1 && outcome.standardError.contains(words), "\(arguments): \(outcome)")
    }
  }

  @Test(
    .enabled(if: Browser.program != nil, "no Chromium or Chrome on the path, and SQAIR_CHROMIUM names none"),
    .enabled(if: Browser.hasPython, "no python3 to speak to the browser"))
  func aBrowserShowsItWithoutComplaint() throws {
    let other = try toy.train("other", "--steps", "4", "--valid", toy.data, "--seed", "5")
    try #require(other.exitCode == 0, "\(other)")
    _ = try report("--beside", toy.path("other"))
    let findings = try Browser.open(toy.path("page.html"))
    #expect(findings.complaints == [])
    #expect(findings.requests.allSatisfy { $0.hasPrefix("file:") && $0.hasSuffix("/page.html") })
    #expect(findings.views.map(\.width) == [390, 1280, 390, 1280])
    for view in findings.views {
      #expect(view.window == view.width && view.content <= view.width, "\(view)")
      #expect(view.broken == [] && view.images >= 4, "\(view)")
      #expect(view.title == "\(Self.run): sqair-dist" && view.smallest >= 10, "\(view)")
    }
    #expect(findings.views[0].background != findings.views[2].background)
  }
}
