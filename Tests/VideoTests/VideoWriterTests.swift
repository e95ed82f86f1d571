import Foundation
import TestSupport
import Testing

import Video

/// Pictures that become a video, and come back.
@Suite(.enabled(if: FFmpeg.isInstalled, "needs ffmpeg and ffprobe"))
struct VideoWriterTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func grey(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 32 * 48 * 3) }

  private func write(_ values: [UInt8], to path: String) throws {
    let writer = try VideoWriter(path: path, height: 32, width: 48, frameRate: 7)
    for value in values { try writer.append(grey(value)) }
    try writer.finish()
  }

  @Test func picturesComeBack() throws {
    let path = folder.path("a.mp4")
    let values: [UInt8] = [20, 60, 100, 140, 180, 220]
    try write(values, to: path)
    let video = try VideoFile(path: path)
    #expect(video.height == 32 && video.width == 48 && video.frameRate == 7 && video.statedFrameCount == 6)
    let reader = try VideoReader(video, height: 32, width: 48)
    for value in values {
      let frame = try #require(try reader.next())
      let mean = Double(frame.pixels.reduce(0) { $0 + Int($1) }) / Double(frame.pixels.count)
      #expect(abs(mean - Double(value)) < 4)
    }
    #expect(try reader.next() == nil)
  }

  @Test func equalPicturesMakeEqualFiles() throws {
    for name in ["a.mp4", "b.mp4"] { try write([10, 200, 90], to: folder.path(name)) }
    let files = try ["a.mp4", "b.mp4"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path($0))) }
    #expect(files[0] == files[1])
  }

  @Test func anUnfinishedVideoLeavesNothing() throws {
    do {
      let writer = try VideoWriter(path: folder.path("a.mp4"), height: 32, width: 48, frameRate: 7)
      try writer.append(grey(1))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(".")).isEmpty)
  }

  @Test func aFolderThatIsMissingIsAnErrorWithFFmpegsWords() throws {
    let error = #expect(throws: VideoError.self) {
      // More than the socket holds, so that the end of ffmpeg is noticed while writing.
      try write([UInt8](repeating: 7, count: 300), to: folder.path("missing/a.mp4"))
    }
    #expect(error?.problem.contains("No such file or directory") == true, "\(String(describing: error))")
  }

  @Test func aStopIsNoticedWhileWriting() throws {
    struct Stop: Error {}
    var calls = 0
    let writer = try VideoWriter(path: folder.path("a.mp4"), height: 32, width: 48, frameRate: 7) {
      calls += 1
      if calls > 3 { throw Stop() }
    }
    #expect(throws: Stop.self) { for _ in 0..<10 { try writer.append(grey(1)) } }
  }
}
