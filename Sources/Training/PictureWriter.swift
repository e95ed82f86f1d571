import Foundation
import Report
import Runs

/// Writes pictures into the folder of a run and for TensorBoard. Rank 0 only.
package final class PictureWriter {
  private let folder: RunFolder
  private let events: EventFile
  private let log: RunLog

  init(_ folder: RunFolder, events: EventFile, log: RunLog) {
    self.folder = folder
    self.events = events
    self.log = log
  }

  func write(_ picture: Picture, name: String, step: Int) throws {
    guard !log.hasLostLock else { return }
    let encoded = try picture.encoded()
    try encoded.write(to: path(name, step: step))
    try events.write(encoded, name: name, step: UInt64(step))
  }

  /// Whether there is a picture of this name.
  func exists(_ name: String, step: Int) -> Bool {
    FileManager.default.fileExists(atPath: path(name, step: step))
  }

  private func path(_ name: String, step: Int) -> String {
    "\(folder.pictures)/\(name)-\(String(format: "%07d", step)).png"
  }
}
