import Foundation
import Report
import TestSupport
import Testing

/// Drawings replace earlier drawings of their kind and nothing else.
@Suite struct OutputFileTests {
  private let folder: TemporaryDirectory
  private let picture = Picture(width: 5, height: 3)
  private let page = Page(title: "t", header: "", sections: [], footer: "")

  init() throws { folder = try TemporaryDirectory() }

  private func writeAnimation(to path: String) throws {
    let row = SequenceFigure.Row(label: "r", frames: [[0, 1], [1, 0]])
    try SequenceFigure(title: "t", frameHeight: 1, frameWidth: 2, blocks: [.init(rows: [row])]).writeAnimation(to: path)
  }

  private var writers: [(kind: OutputMark, write: (String) throws -> Void)] {
    [(.page, page.write), (.picture, picture.writePNG), (.animation, writeAnimation)]
  }

  @Test func eachKindIsRecognizedAndReplaced() throws {
    for (number, writer) in writers.enumerated() {
      let path = folder.path("output-\(number)")
      try writer.write(path)
      for (other, _) in writers { #expect(other.isIn(path) == (other == writer.kind), "\(writer.kind) as \(other)") }
      try writer.write(path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
  }

  @Test func whatOthersMadeStays() throws {
    let path = folder.path("file")
    for content in ["", "thesis", "<!DOCTYPE html><title>mine</title>", "\u{89}PNG\r\n"] {
      try content.write(toFile: path, atomically: false, encoding: .utf8)
      for (_, write) in writers {
        #expect(throws: ReportError.self) { try write(path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
  }

  /// Not even to an earlier output: who made the link has chosen its target.
  @Test func aLinkIsNotFollowed() throws {
    try picture.writePNG(to: folder.path("own.png"))
    for target in ["own.png", "nothing"] {
      let link = folder.path("link-to-\(target)")
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
      #expect(throws: ReportError.self) { try picture.writePNG(to: link) }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("nothing")))
  }
}
