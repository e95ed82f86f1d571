import Foundation
import TestSupport
import Tracking

/// What `make_tracks.py` prints: tracks, and what `motmetrics` says of them.
struct TrackFile: Decodable {
  /// A box as [id, y, x, height, width].
  struct Frame: Decodable {
    let truth: [[Double]]
    let found: [[Double]]
  }

  let sequences: [[Frame]]
  /// One entry a sequence; null where `motmetrics` divides by nothing.
  let measures: [[String: Double?]]
  let overall: [String: Double?]

  init(_ data: Data) throws { self = try JSONDecoder().decode(TrackFile.self, from: data) }

  static var script: String {
    Bundle.module.path(forResource: "make_tracks", ofType: "py", inDirectory: "Fixtures")!
  }

  /// The tracks that the script makes now.
  static func made(_ arguments: String...) throws -> TrackFile {
    try TrackFile(Data(Python.run(file: script, arguments).utf8))
  }

  var frames: [[TrackingFrame]] {
    func boxes(_ values: [[Double]]) -> [TrackedBox] {
      values.map { TrackedBox(id: Int($0[0]), y: $0[1], x: $0[2], height: $0[3], width: $0[4]) }
    }
    return sequences.map { $0.map { TrackingFrame(truth: boxes($0.truth), found: boxes($0.found)) } }
  }
}

extension TrackingCounts {
  /// The measure or number with this name in `make_tracks.py`.
  func measure(_ name: String) -> Double? {
    switch name {
    case "mota": mota
    case "motp": motp
    case "precision": precision
    case "recall": recall
    case "idp": idp
    case "idr": idr
    case "idf1": idf1
    default: Field.allCases.first { "\($0)" == name }.map { self[$0] }
    }
  }
}
