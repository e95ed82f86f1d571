import Foundation
import TestSupport
import Testing
import Video

/// Frames through the real ffmpeg, where there is one.
@Suite(.enabled(if: FFmpeg.isInstalled, "\(FFmpeg.missing)")) struct VideoReaderTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  @Test func everyFrameOfAFileIsGivenOnce() throws {
    let path = folder.path("count.mkv")
    try encode(greyLevels: Array(0..<30), to: path)
    let video = try VideoFile(path: path)
    #expect(video.height == 24 && video.width == 32 && video.frameRate == 10)
    #expect(try levels(VideoReader(video, height: 12, width: 16)) == Array(0..<30))
    #expect(try levels(VideoReader(video, frames: 7..<12, height: 24, width: 32)) == Array(7..<12))
  }

  /// Seconds between frames differ, as cameras write them; nothing is dropped or repeated.
  @Test func anUnsteadyFrameRateChangesNothing() throws {
    let path = folder.path("unsteady.mkv")
    try encode(greyLevels: Array(0..<20), filter: "setpts='(N*N/5+N)/TB/10'", to: path)
    #expect(try levels(VideoReader(VideoFile(path: path), height: 24, width: 32)) == Array(0..<20))
  }

  /// What is before the cut stays in the file, back to a key frame, and is counted in its header.
  @Test func aVideoThatWasTrimmedWithoutDecodingIsRead() throws {
    let (whole, source, cut) = (folder.path("whole.mkv"), folder.path("source.mp4"), folder.path("cut.mp4"))
    try encode(greyLevels: Array(0..<40), to: whole)
    for arguments in [
      ["-i", whole, "-c:v", "mpeg4", "-g", "100", "-bf", "0", source],
      ["-ss", "1.05", "-i", source, "-c", "copy", cut],
    ] {
      let outcome = try ProcessRunner.run("ffmpeg", ["-v", "error"] + arguments)
      try #require(outcome.exitCode == 0, "\(outcome)")
    }
    let reader = try VideoReader(VideoFile(path: cut), height: 24, width: 32)
    while try reader.next() != nil {}
    #expect(reader.count == 29)
  }

  @Test func picturesAreReadInTheOrderOfTheirNumbers() throws {
    let plain = folder.path("plain")
    try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: true)
    try encode(greyLevels: Array(0..<12), to: plain + "/frame %d.png")
    let pictures = folder.path("it's 100% [pictures]")
    try FileManager.default.moveItem(atPath: plain, toPath: pictures)
    let video = try VideoFile(path: pictures)
    #expect(video.statedFrameCount == 12 && video.height == 24 && video.width == 32)
    #expect(try levels(VideoReader(video, height: 24, width: 32)) == Array(0..<12))
    #expect(try levels(VideoReader(video, frames: 9..<11, height: 24, width: 32)) == [9, 10])
  }

  /// ffmpeg sees a pattern in such names.
  @Test func aNameWithAPercentSignIsAName() throws {
    try encode(greyLevels: [7, 8, 9], to: folder.path("f%d.png"))
    let pictures = folder.path("50 %d")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    for index in 1...3 {
      try FileManager.default.moveItem(
        atPath: folder.path("f\(index).png"), toPath: pictures + "/it's %03d \(index).png")
    }
    #expect(try levels(VideoReader(VideoFile(path: pictures), height: 24, width: 32)) == [7, 8, 9])
  }

  @Test func picturesInGreyAndInColourAreFramesAlike() throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    for level in 0..<12 {
      let kind = level % 3 == 0 ? "format=gray" : level % 3 == 1 ? "format=rgb24" : "format=rgba"
      try encode(greyLevels: [level], filter: kind, to: pictures + "/\(level)-%d.png")
    }
    #expect(try levels(VideoReader(VideoFile(path: pictures), height: 24, width: 32)) == Array(0..<12))
    #expect(try levels(VideoReader(VideoFile(path: pictures), frames: 4..<9, height: 24, width: 32)) == Array(4..<9))
  }

  @Test(.timeLimit(.minutes(1))) func pipesAndEmptyPicturesAreRefusedAtOnce() throws {
    let path = folder.path("video.mp4"), pictures = folder.path("pictures")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(throws: VideoError.self) { try VideoFile(path: path) }
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    try encode(greyLevels: [1, 2], to: pictures + "/%d.png")
    #expect(mkfifo(pictures + "/3.png", 0o600) == 0)
    let error = #expect(throws: VideoError.self) { try VideoFile(path: pictures) }
    #expect(error?.problem == "this is a pipe or a device, not a file" && error?.path.hasSuffix("/3.png") == true)
    unlink(pictures + "/3.png")
    try Data().write(to: URL(fileURLWithPath: pictures + "/3.png"))
    #expect(throws: VideoError.self) { try VideoFile(path: pictures) }
  }

  @Test func aHeightWithoutBoundsHasAWidth() throws {
    let path = folder.path("count.mkv")
    try encode(greyLevels: [0, 1], to: path)
    let video = try VideoFile(path: path)
    #expect(video.width(forHeight: 12) == 16 && video.width(forHeight: .max) > 16384)
    #expect(throws: VideoError.self) { try VideoReader(video, height: .max, width: video.width(forHeight: .max)) }
  }

  @Test func picturesOfTwoSizesAreRefused() throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    try encode(greyLevels: [1, 2], to: pictures + "/%d.png")
    try encode(greyLevels: [3], filter: "scale=20:10", to: pictures + "/wide-%d.png")
    let error = #expect(throws: VideoError.self) { try VideoFile(path: pictures) }
    #expect(error?.problem == "it has 10 x 20 pixels (rows x columns), and the first picture '1.png' has 24 x 32")
  }

  @Test(arguments: ["png", "jpg"]) func theOneOfManyPicturesThatIsCutIsNamed(kind: String) throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    try encode(greyLevels: Array(0..<12), to: pictures + "/%d.\(kind)")
    let cut = URL(fileURLWithPath: pictures + "/7.\(kind)")
    let bytes = try Data(contentsOf: cut)
    // The header, with its size, is whole.
    try bytes.prefix(bytes.count - (kind == "png" ? 30 : 20)).write(to: cut)
    let error = try #require(throws: VideoError.self) {
      let reader = try VideoReader(VideoFile(path: pictures), height: 24, width: 32)
      while try reader.next() != nil {}
    }
    #expect(error.problem.hasSuffix("('7.\(kind)' has no end)"), "\(error)")
  }

  @Test func aFolderWithTheNameOfAPictureIsNone() throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures + "/masks.png", withIntermediateDirectories: true)
    try encode(greyLevels: Array(0..<6), to: pictures + "/%d.png")
    let video = try VideoFile(path: pictures)
    #expect(video.statedFrameCount == 6 && video.warnings == [])
    try FileManager.default.moveItem(atPath: pictures + "/6.png", toPath: pictures + "/9.png")
    #expect(try VideoFile(path: pictures).warnings.count == 1)
  }

  @Test func aVideoThatEndsTooEarlyIsRefused() throws {
    let path = folder.path("cut.avi")
    try encode(greyLevels: Array(0..<200), to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: VideoError.self) {
      _ = try levels(VideoReader(VideoFile(path: path), height: 24, width: 32))
    }
    #expect(error?.hint.contains("Copy it again from its source") == true, "\(String(describing: error))")
  }

  @Test func damagedBytesAreRefusedInTheWordsOfFFmpeg() throws {
    let path = folder.path("damaged.mkv")
    try encode(greyLevels: Array(0..<50), to: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for index in bytes.count / 2..<bytes.count / 2 + 200 { bytes[index] ^= 0x5A }
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: VideoError.self) {
      _ = try levels(VideoReader(VideoFile(path: path), height: 24, width: 32))
    }
    #expect(error?.path == path, "\(String(describing: error))")
  }

  @Test func whatIsNoVideoIsRefused() throws {
    let text = folder.path("text.mp4")
    try Data("no video".utf8).write(to: URL(fileURLWithPath: text))
    let error = #expect(throws: VideoError.self) { try VideoFile(path: text) }
    #expect(error?.problem.hasPrefix("ffprobe cannot read it: ") == true, "\(String(describing: error))")
    // A playlist must not make ffmpeg open an address or another file.
    let list = folder.path("list.mp4")
    try Data("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n".utf8).write(to: URL(fileURLWithPath: list))
    #expect(throws: VideoError.self) { try VideoFile(path: list) }
    #expect(throws: VideoError.self) { try VideoFile(path: folder.path("absent.mp4")) }
  }

  @Test func anErrorOfTheCallerEndsFFmpegAndLeavesNoProcess() throws {
    struct Stop: Error {}
    let path = folder.path("long.mkv")
    try encode(greyLevels: Array(0..<100), to: path)
    var calls = 0
    do {
      let reader = try VideoReader(VideoFile(path: path), height: 480, width: 640) {
        calls += 1
        if calls > 20 { throw Stop() }
      }
      #expect(throws: Stop.self) { while try reader.next() != nil {} }
      reader.close()
      #expect(try reader.next() == nil)
    }
    #expect(try isReadByNoChild(path))
  }

  /// Frames of 24 x 32 pixels, each of one grey level.
  private func encode(greyLevels: [Int], filter: String = "null", to path: String) throws {
    try FFmpeg.encode(
      greyLevels.map { [UInt8](repeating: UInt8($0), count: 24 * 32 * 3) }, height: 24, width: 32, filter: filter,
      to: path)
  }

  /// The grey level of each frame.
  private func levels(_ reader: VideoReader) throws -> [Int] {
    var result: [Int] = []
    while let frame = try reader.next() {
      #expect(Set(frame.pixels).count == 1)
      result.append(Int(frame.pixels[0]))
    }
    return result
  }

  /// Whether no child of this process reads the file, and none that ended stays; tests beside this one have children,
  /// which end by themselves.
  private func isReadByNoChild(_ path: String) throws -> Bool {
    for _ in 0..<100 {
      let children = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { entry in
        guard Int(entry) != nil, let status = try? String(contentsOfFile: "/proc/\(entry)/status", encoding: .utf8),
          status.contains("PPid:\t\(getpid())\n"), status.hasPrefix("Name:\tffmpeg\n")
        else { return false }
        let command = (try? String(contentsOfFile: "/proc/\(entry)/cmdline", encoding: .utf8)) ?? ""
        return command.isEmpty || command.contains(path)
      }
      if children.isEmpty { return true }
      Thread.sleep(forTimeInterval: 0.1)
    }
    return false
  }
}

@Suite struct PictureFolderTests {
  @Test func numbersAreComparedByValue() {
    let names = ["f10.png", "f9.png", "f0010b.png", "f1.png", "e99.png"]
    #expect(
      names.sorted(by: PictureFolder.isBefore) == ["e99.png", "f1.png", "f9.png", "f10.png", "f0010b.png"])
  }

  @Test func missingNumbersAndTwoSeriesAreTold() {
    func warnings(_ names: [String]) -> [String] { PictureSeries(names).warnings }
    func series(_ prefix: String, _ numbers: some Sequence<Int>) -> [String] { numbers.map { "\(prefix)\($0).png" } }
    let gap = warnings(series("f", Array(1...19) + Array(50...70)))
    #expect(gap.count == 1 && gap[0].hasPrefix("'f50.png' follows 'f19.png': pictures seem to be missing"), "\(gap)")
    let two = warnings(series("a", 1...20) + series("b", 1...20))
    #expect(two.count == 1 && two[0].hasPrefix("'b1.png' follows 'a20.png': the pictures of 2 series"), "\(two)")
    // Every tenth frame, milliseconds that are nearly even, and names without or with other numbers say nothing.
    #expect(warnings(series("f", stride(from: 0, to: 200, by: 10))) == [])
    #expect(warnings(series("f", [0, 33, 67, 100, 133, 167, 200])) == [])
    #expect(warnings(["a.png", "b.png"]) == [] && warnings(series("f", [7])) == [])
    #expect(warnings((0..<12).map { "\($0)-1.png" }) == [])
  }

  @Test func aFolderWithoutPicturesIsRefused() throws {
    let folder = try TemporaryDirectory()
    let error = #expect(throws: VideoError.self) { try VideoFile(path: folder.path) }
    #expect(error?.problem == "there is no PNG or JPEG picture in the folder")
    try Data("text".utf8).write(to: URL(fileURLWithPath: folder.path("1.png")))
    let other = #expect(throws: VideoError.self) { try VideoFile(path: folder.path) }
    #expect(other?.problem == "it is not a PNG or JPEG picture, or it is damaged")
  }
}
