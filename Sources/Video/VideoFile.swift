import Foundation

/// A video to read frames from: a file that ffmpeg can decode, or a folder of numbered PNG or JPEG pictures.
///
/// `ffmpeg` and `ffprobe` run as programs of their own.
public struct VideoFile: Sendable {
  /// Path as it was given.
  public let path: String
  /// Rows and columns of a frame as it is shown: turned as the file says, with square pixels.
  public let height: Int
  public let width: Int
  /// Frames a second; nil where nothing says.
  public let frameRate: Double?
  /// Number of frames by the header of the file or the number of pictures; nil where nothing says. The header may be
  /// wrong.
  public let statedFrameCount: Int?
  /// What is strange about it although it can be read, a sentence each, with the path.
  public let warnings: [String]

  enum Input: Sendable {
    case file
    /// Pictures in order, with absolute paths.
    case pictures([String])
  }
  let input: Input

  /// The largest side that is accepted, so that a wrong header cannot ask for any amount of memory.
  static let largestSide = 16384

  /// Asks ffprobe what is in the file, or looks through the folder.
  ///
  /// - Parameter check: called several times a second while ffprobe is waited for; what it throws ends the waiting.
  /// - Throws: `VideoError` for a path that holds no video, or where ffprobe is missing.
  public init(path: String, check: @escaping () throws -> Void = {}) throws {
    self.path = path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw VideoError(path: path, problem: "there is no such file or folder", hint: "Check the name of the video.")
    }
    if isFolder.boolValue {
      let folder = try PictureFolder(path: path)
      (height, width) = (folder.height, folder.width)
      frameRate = nil
      statedFrameCount = folder.pictures.count
      warnings = folder.warnings
      input = .pictures(folder.pictures)
    } else {
      _ = try RegularFile(path)
      let stream = try VideoStream.probe(path, check: check)
      (height, width) = (stream.shownHeight, stream.shownWidth)
      frameRate = stream.rate
      statedFrameCount = stream.frameCount
      warnings = []
      input = .file
    }
    guard (1...Self.largestSide).contains(height), (1...Self.largestSide).contains(width) else {
      throw VideoError(
        path: path, problem: "its frames are \(height) x \(width) pixels (rows x columns)",
        hint: "Sides of 1 to \(Self.largestSide) pixels can be read; check the file.")
    }
  }

  /// The width at which frames of `height` rows keep their proportions.
  public func width(forHeight height: Int) -> Int {
    max(1, Int(min(Double(width) * Double(height) / Double(self.height), Double(Int32.max)).rounded()))
  }
}
