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
    #expect(try levels(video.reader(height: 12, width: 16)) == Array(0..<30))
    #expect(try levels(video.reader(frames: 7..<12, height: 24, width: 32)) == Array(7..<12))
  }

  /// Seconds between frames differ, as cameras write them; nothing is dropped or repeated.
  @Test func anUnsteadyFrameRateChangesNothing() throws {
    let path = folder.path("unsteady.mkv")
    try encode(greyLevels: Array(0..<20), filter: "setpts='(N*N/5+N)/TB/10'", to: path)
    #expect(try levels(VideoFile(path: path).reader(height: 24, width: 32)) == Array(0..<20))
  }

  @Test func picturesAreReadInTheOrderOfTheirNumbers() throws {
    let plain = folder.path("plain")
    try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: true)
    try encode(greyLevels: Array(0..<12), to: plain + "/frame %d.png")
    let pictures = folder.path("it's 100% [pictures]")
    try FileManager.default.moveItem(atPath: plain, toPath: pictures)
    let video = try VideoFile(path: pictures)
    #expect(video.statedFrameCount == 12 && video.height == 24 && video.width == 32)
    #expect(try levels(video.reader(height: 24, width: 32)) == Array(0..<12))
    #expect(try levels(video.reader(frames: 9..<11, height: 24, width: 32)) == [9, 10])
  }

  @Test func picturesOfTwoSizesAreRefused() throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    try encode(greyLevels: [1, 2], to: pictures + "/%d.png")
    try encode(greyLevels: [3], filter: "scale=20:10", to: pictures + "/wide-%d.png")
    let error = #expect(throws: VideoError.self) { try VideoFile(path: pictures) }
    #expect(error?.problem == "it has 10 x 20 pixels (rows x columns), and the first picture '1.png' has 24 x 32")
  }

  @Test func aVideoThatEndsTooEarlyIsRefused() throws {
    let path = folder.path("cut.avi")
    try encode(greyLevels: Array(0..<200), to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: VideoError.self) { _ = try levels(VideoFile(path: path).reader(height: 24, width: 32)) }
    #expect(error?.hint.contains("Copy it again from its source") == true, "\(String(describing: error))")
  }

  @Test func damagedBytesAreRefusedInTheWordsOfFFmpeg() throws {
    let path = folder.path("damaged.mkv")
    try encode(greyLevels: Array(0..<50), to: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for index in bytes.count / 2..<bytes.count / 2 + 200 { bytes[index] ^= 0x5A }
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: VideoError.self) { _ = try levels(VideoFile(path: path).reader(height: 24, width: 32)) }
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
      let reader = try VideoFile(path: path).reader(height: 480, width: 640) {
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

  @Test func aFolderWithoutPicturesIsRefused() throws {
    let folder = try TemporaryDirectory()
    let error = #expect(throws: VideoError.self) { try VideoFile(path: folder.path) }
    #expect(error?.problem == "there is no PNG or JPEG picture in the folder")
    try Data("text".utf8).write(to: URL(fileURLWithPath: folder.path("1.png")))
    let other = #expect(throws: VideoError.self) { try VideoFile(path: folder.path) }
    #expect(other?.problem == "it is not a PNG or JPEG picture, or it is damaged")
  }
}
