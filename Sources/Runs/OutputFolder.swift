import Foundation

/// Makes the folder that a command writes to.
package func makeFolder(_ path: String, option: String = "--out") throws {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw RunError("the folder '\(path)' cannot be created: \(error.localizedDescription) Choose another with \(option).")
  }
}
