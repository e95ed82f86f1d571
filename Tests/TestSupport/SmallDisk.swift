import Foundation

/// A disk of its own in memory, so small that it can be filled, for as long as the object lives.
public final class SmallDisk {
  /// Where it is mounted.
  public let path: String
  private let folder: TemporaryDirectory
  private let filler: String

  /// Whether this user may mount disks here.
  public static let isPossible = (try? SmallDisk(bytes: 1 << 20)) != nil

  /// Mounts it.
  public init(bytes: Int) throws {
    folder = try TemporaryDirectory()
    path = folder.path("disk")
    filler = path + "/filler"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let outcome = try ProcessRunner.run("mount", ["-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path])
    guard outcome.exitCode == 0 else {
      throw ProcessRunnerError(description: "cannot mount a disk: \(outcome.standardError)")
    }
  }

  deinit { _ = try? ProcessRunner.run("umount", ["--lazy", path]) }

  /// Takes all the room that there is at this moment.
  public func fill() {
    let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let piece = [UInt8](repeating: 0, count: 4_096)
    while write(descriptor, piece, piece.count) > 0 {}
  }

  /// Gives the room back.
  public func makeRoom() { unlink(filler) }
}
