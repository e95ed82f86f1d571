import Foundation

/// A fresh folder for one test, removed with all it holds when the last reference goes.
///
/// Keep the object alive for as long as its files are needed: `let folder = try TemporaryDirectory()`
/// followed by uses of `folder.path(_:)` does so, unless only the path outlives the last use.
/// `withExtendedLifetime(folder) { }` says it outright.
public final class TemporaryDirectory: Sendable {
  /// Absolute path of the folder, without a trailing slash.
  public let path: String

  /// Makes a folder with a unique name in the system's place for temporary files.
  ///
  /// - Parameter prefix: first part of the folder's name, to recognise leftovers of a killed test.
  public init(prefix: String = "sqair-dist-test") throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(prefix)-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Absolute path of a file (or folder) of this name inside the folder; nothing is created.
  public func path(_ name: String) -> String {
    path + "/" + name
  }
}
