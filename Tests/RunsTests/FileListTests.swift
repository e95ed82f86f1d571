import Foundation
import Runs
import TestSupport
import Testing

/// Files that are named by paths and patterns.
@Suite struct FileListTests {
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    for name in [
      "shard-1.h5", "shard-10.h5", "shard-2.h5", "shard-02.h5", "other.h5", ".shard-3.h5.7.partial", "a[1].h5",
    ] {
      try "\(name)".write(toFile: folder.path(name), atomically: false, encoding: .utf8)
    }
  }

  private func list(_ patterns: String...) throws -> [String] {
    try FileList(patterns.map { folder.path($0) }).paths.map { URL(fileURLWithPath: $0).lastPathComponent }
  }

  private func message(_ patterns: [String]) -> String {
    do {
      return "\(try FileList(patterns).paths)"
    } catch {
      return "\(error)"
    }
  }

  @Test func numbersInNamesCountByValueHoweverTheFilesAreListed() throws {
    let sorted = ["shard-1.h5", "shard-02.h5", "shard-2.h5", "shard-10.h5"]
    #expect(try list("shard-*.h5") == sorted)
    #expect(try list("shard-10.h5", "shard-2.h5", "shard-02.h5", "shard-1.h5") == sorted)
    #expect(try list("shard-1*.h5", "shard-2.h5", "shard-0?.h5") == sorted)
    #expect(try list("shard-[12].h5", "other.h5") == ["other.h5", "shard-1.h5", "shard-2.h5"])
  }

  @Test func aNameThatLooksLikeAPatternIsAName() throws { #expect(try list("a[1].h5") == ["a[1].h5"]) }

  @Test func aPatternWithoutAFileAndAFileNamedTwiceAreErrors() throws {
    #expect(message([folder.path("none-*.h5")]).hasPrefix("no file matches '\(folder.path("none-*.h5"))'."))
    // What is missing says so when it is opened.
    #expect(try list("none.h5") == ["none.h5"])
    let twice = message([folder.path("shard-1.h5"), folder.path("shard-[1].h5")])
    #expect(twice.hasPrefix("'\(folder.path("shard-1.h5"))' is named twice, so its sequences would be used twice."))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("z.h5"), withDestinationPath: folder.path("shard-1.h5"))
    let linked = message([folder.path("shard-1.h5"), folder.path("z.h5")])
    #expect(linked.hasPrefix("'\(folder.path("shard-1.h5"))' and '\(folder.path("z.h5"))' are one file"), "\(linked)")
  }

  @Test func pathsOfARunAreFoundInItsFolder() throws {
    try FileManager.default.createDirectory(atPath: folder.path("run"), withIntermediateDirectories: true)
    for name in ["b-2.h5", "b-11.h5"] {
      try "".write(toFile: folder.path("run/" + name), atomically: false, encoding: .utf8)
    }
    let run = RunFolder(folder.path("run"))
    let expected = ["b-2.h5", "b-11.h5"].map { folder.path("run/" + $0) }
    #expect(try FileList(["b-11.h5", "b-2.h5"], in: run).paths == expected)
    #expect(try FileList(["b-*.h5"], in: run).paths == expected)
  }
}
