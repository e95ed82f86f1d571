import Foundation

/// What a path names. Whoever opens a pipe or a device to read a file from it may wait for ever.
public enum FileKind: Equatable, Sendable {
  case missing
  /// With its size in bytes.
  case regular(size: Int)
  case folder
  /// A pipe, a socket or a device.
  case special(String)

  /// Looks at a path, following links.
  public init(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      self = .missing
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular(size: Int(status.st_size))
    case S_IFDIR: self = .folder
    case S_IFIFO: self = .special("a pipe")
    case S_IFSOCK: self = .special("a socket")
    default: self = .special("a device")
    }
  }
}
