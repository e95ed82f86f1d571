import Foundation
import Report
import TestSupport
import Testing

@Suite struct MetricsLogTests {
  func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func linesKeepTheOrderOfTheKeys() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    let log = try MetricsLog(path: path, keepingThrough: nil)
    try log.append(step: 10, [("zeta", 0.1), ("alpha", -3), ("bad", .nan), ("worse", -.infinity)])
    // On the disk before the log is closed.
    #expect(try text(path) == "{\"step\":10,\"zeta\":0.1,\"alpha\":-3,\"bad\":null,\"worse\":null}\n")
    try log.append(step: 11, [("a\"b\\c\n", 1e-7), ("large", 1e300), ("whole", 4_503_599_627_370_497)])
    try log.append(step: 12, [])
    let lines = try MetricsLog.read(path).lines
    #expect(lines.map(\.step) == [10, 11, 12])
    #expect(lines[0].values == ["step": 10, "zeta": 0.1, "alpha": -3])
    #expect(lines[1].values == ["step": 11, "a\"b\\c\n": 1e-7, "large": 1e300, "whole": 4_503_599_627_370_497])
  }

  @Test func numbersComeBackToTheirLastBit() throws {
    let folder = try TemporaryDirectory()
    let log = try MetricsLog(path: folder.path("metrics.jsonl"), keepingThrough: nil)
    let numbers = [396.26879313510585, 0.1 + 0.2, -173.98181826181798, 1.0 / 3]
    for (step, number) in numbers.enumerated() { try log.append(step: UInt64(step), [("norm", number)]) }
    #expect(try MetricsLog.read(folder.path("metrics.jsonl")).lines.map { $0.values["norm"] } == numbers)
  }

  static let old = """
    {"step":0,"bound":1}
    {"step":10,"bound":2}
    {"step":20,"bound":3}
    {"step":200,"bound":4}

    """

  /// File before, step to keep through, file after, lines removed, lines set aside.
  @Test(
    arguments: [
      (old, 20, "{\"step\":0,\"bound\":1}\n{\"step\":10,\"bound\":2}\n{\"step\":20,\"bound\":3}\n", 1, ""),
      (old, 19, "{\"step\":0,\"bound\":1}\n{\"step\":10,\"bound\":2}\n", 2, ""),
      (old, 0, "{\"step\":0,\"bound\":1}\n", 3, ""),
      (old, nil, "", 4, ""),
      (old, 200, old, 0, ""),
      (old, UInt64.max, old, 0, ""),
      // Torn in a number, behind the last brace, and in a way that looks whole.
      (old + "{\"step\":20,\"bou", 200, old, 0, "{\"step\":20,\"bou"),
      (old + "{\"step\":15,\"bound\":5}", 200, old, 0, "{\"step\":15,\"bound\":5}"),
      (old + "{\"step\":1", 200, old, 0, "{\"step\":1"),
      // A block of zeros, as a lost page leaves it, and words that are no step.
      (
        "\0\0\0\0\n{\"step\":-3}\n{\"step\":}\nhello\n\n" + old, 200, old, 0,
        "\0\0\0\0\n{\"step\":-3}\n{\"step\":}\nhello\n\n"
      ),
      // A flipped bit in a name's quotation mark, numbers that are no count of updates, and a fresh run.
      ("{\"step\":3,\"bound:2}\n" + old, 200, old, 0, "{\"step\":3,\"bound:2}\n"),
      (
        "{\"step\":4e300}\n{\"step\":1.5}\n{\"step\":1e999}\n{\"step\":9007199254740993000}\n" + old, 200, old, 0,
        "{\"step\":4e300}\n{\"step\":1.5}\n{\"step\":1e999}\n{\"step\":9007199254740993000}\n"
      ),
      ("{\"epoch\":1}\n" + old, nil, "", 4, "{\"epoch\":1}\n"),
      ("", 7, "", 0, ""),
    ] as [(String, UInt64?, String, Int, String)])
  func resumingCutsWhatIsDoneAgain(
    before: String, step: UInt64?, after: String, removed: Int, unreadable: String
  ) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    try before.write(toFile: path, atomically: false, encoding: .utf8)
    let log = try MetricsLog(path: path, keepingThrough: step)
    #expect(try text(path) == after)
    #expect(log.removedLines == removed)
    try log.append(step: 9, [("x", 1)])
    #expect(try text(path) == after + "{\"step\":9,\"x\":1}\n")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["metrics.jsonl"] + (unreadable.isEmpty ? [] : ["metrics.jsonl.unreadable-1"]))
    #expect(log.unreadable?.path == (unreadable.isEmpty ? nil : path + ".unreadable-1"))
    if !unreadable.isEmpty { #expect(try text(path + ".unreadable-1") == unreadable) }
    // What is set aside later replaces nothing.
    try (after + "bad\n").write(toFile: path, atomically: false, encoding: .utf8)
    _ = try MetricsLog(path: path, keepingThrough: step)
    if !unreadable.isEmpty {
      #expect(try text(path + ".unreadable-1") == unreadable)
      #expect(try text(path + ".unreadable-2") == "bad\n")
    }
  }

  @Test func groupsOfEarlierVersionsHaveTheirNewNames() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    try "{\"step\":4,\"imagination/prediction_error\":0.5,\"train/imagination\":1}\n"
      .write(toFile: path, atomically: false, encoding: .utf8)
    let expected = ["step": 4, "generation/prediction_error": 0.5, "train/imagination": 1]
    #expect(try MetricsLog.read(path).lines.map(\.values) == [expected])
    // A run that is resumed knows by it what was done.
    let log = try MetricsLog(path: path, keepingThrough: 4)
    #expect(log.linesOfLastStep.map(\.values) == [expected])
  }

  @Test func readingCountsTheBadLines() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    try (Self.old + "[1]\n{\"step\":4e300}\n").write(toFile: path, atomically: false, encoding: .utf8)
    let content = try MetricsLog.read(path)
    #expect(content.lines.map(\.step) == [0, 10, 20, 200] && content.unreadable == 2)
    // What is being written is no bad line.
    try (Self.old + "{\"step\":3").write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try MetricsLog.read(path).lines.count == 4 && MetricsLog.read(path).unreadable == 0)
  }

  /// What is appended to a file without a name would be lost.
  @Test func aFileThatIsRemovedIsMadeAnew() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    let log = try MetricsLog(path: path, keepingThrough: nil)
    #expect(log.isNew)
    #expect(try !log.append(step: 1, [("x", 1)]))
    try FileManager.default.removeItem(atPath: path)
    #expect(try log.append(step: 2, [("x", 2)]))
    #expect(try !log.append(step: 3, [("x", 3)]))
    #expect(try text(path) == "{\"step\":2,\"x\":2}\n{\"step\":3,\"x\":3}\n")
    #expect(try !MetricsLog(path: path, keepingThrough: 3).isNew)
  }

  @Test func aLinkIsNotFollowed() throws {
    let folder = try TemporaryDirectory()
    try "mine\n".write(toFile: folder.path("thesis"), atomically: false, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: folder.path("metrics.jsonl"), withDestinationPath: "thesis")
    #expect(throws: ReportError.self) { try MetricsLog(path: folder.path("metrics.jsonl"), keepingThrough: nil) }
    #expect(try text(folder.path("thesis")) == "mine\n")
  }
}
