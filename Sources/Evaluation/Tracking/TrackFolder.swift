import Foundation
import Report
import Runs
import Tracking

/// A folder of tracks in the MOTChallenge format, for other tools: `truth/NAME/gt/gt.txt` with
/// `truth/NAME/seqinfo.ini`, and `found/NAME.txt`, one NAME per sequence.
struct TrackFolder {
  let path: String

  /// Creates the folder, which must be new or empty, so that tracks of two models are never mixed.
  init(making path: String) throws {
    self.path = path
    try makeFolder(path, option: "--tracks")
    guard try FileManager.default.contentsOfDirectory(atPath: path).isEmpty else {
      throw RunError(
        "the folder '\(path)' is not empty: name a new one with --tracks, or empty it.", isEverywhere: true)
    }
    try makeFolder(path + "/found", option: "--tracks")
  }

  /// The folder that another process has created.
  init(madeAt path: String) { self.path = path }

  func write(_ frames: [TrackingFrame], of sequence: Int, height: Int, width: Int) throws {
    let name = String(format: "sequence-%06d", sequence)
    try makeFolder("\(path)/truth/\(name)/gt", option: "--tracks")
    try write(MOTChallengeText.tracks(frames.map(\.truth)), to: "truth/\(name)/gt/gt.txt")
    try write(
      MOTChallengeText.information(name: name, frames: frames.count, height: height, width: width),
      to: "truth/\(name)/seqinfo.ini")
    try write(MOTChallengeText.tracks(frames.map(\.found)), to: "found/\(name).txt")
  }

  private func write(_ text: String, to name: String) throws {
    // The folder was empty: a file that exists now belongs to somebody else.
    try OutputFile(path: path + "/" + name, mustBeNew: true).append(Array(text.utf8))
  }
}
