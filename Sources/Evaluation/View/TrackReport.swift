import Foundation
import Report
import Runs
import Tracking

/// What `track` found and how good it is, as JSON and as a table.
struct TrackReport: Encodable {
  /// The measures of one method.
  struct Method: Encodable {
    let method: String
    /// Share of frames with the correct number of objects.
    let countAccuracy: Double
    /// One for each overlap.
    let tracking: [TrackingReport]
  }

  /// Which program wrote this: earlier outputs are known by it.
  let software = "sqair-dist \(softwareVersion)"
  let checkpoint: String
  let step: Int
  let video: String
  /// Frames of the video from 1, both included.
  let firstFrame: Int
  let lastFrame: Int
  let viewHeight: Int
  let viewWidth: Int
  let crops: Int
  let length: Int
  let sharedFrames: Int
  let longestGap: Int
  let shortestTrack: Int
  let particles: Int
  let boxes: ObjectBoxKind
  let tracks: Int
  let foundBoxes: Int
  let truth: String?
  private(set) var methods: [Method] = []
  /// SHA-256 of the files beside this one, by name.
  var files: [String: String] = [:]

  init(
    checkpoint: String, step: Int, input: String, truth: String?, view: ViewShape, grid: CropGrid, length: Int,
    settings: TrackRequest.Settings, particles: Int, frames: [[TrackedBox]]
  ) {
    self.checkpoint = checkpoint
    self.step = step
    video = input
    self.truth = truth
    firstFrame = view.firstFrame + 1
    lastFrame = view.firstFrame + view.frameCount
    (viewHeight, viewWidth) = (view.height, view.width)
    crops = grid.crops.count
    self.length = length
    sharedFrames = settings.sharedFrames
    longestGap = settings.longestGap
    shortestTrack = settings.shortestTrack
    self.particles = particles
    boxes = settings.boxes
    tracks = Set(frames.joined().map(\.id)).count
    foundBoxes = frames.reduce(0) { $0 + $1.count }
  }

  /// Adds a method.
  ///
  /// - Parameter frames: its boxes by frame.
  mutating func measure(_ method: String, _ frames: [[TrackedBox]], _ truth: ViewTruth, _ overlaps: [Double]) {
    let compared = frames.enumerated().map { truth.boxes.frame($0, found: $1) }
    let correct = compared.count { $0.foundCount() == $0.truth.count }
    methods.append(
      Method(
        method: method, countAccuracy: Double(correct) / Double(max(1, compared.count)),
        tracking: overlaps.map {
          TrackingReport(
            counts: SequenceTracking(compared, minimumOverlap: $0).counts, boxes: boxes, minimumOverlap: $0)
        }))
  }

  /// One JSON object.
  func json() throws -> String { try MeasurementJSON.line(self) }

  /// A table.
  var text: String {
    var lines = [
      "checkpoint  \(checkpoint) (\(step) updates)",
      "video       \(video): frames \(firstFrame) to \(lastFrame), \(viewHeight) x \(viewWidth) pixels",
      "crops       \(crops), windows of \(length) frames with \(sharedFrames) in common, \(particles) particles",
      "tracks      \(tracks), \(foundBoxes) \(boxes.rawValue) boxes",
    ]
    if let first = methods.first {
      lines.append("")
      for (index, report) in first.tracking.enumerated() {
        let heading = "overlap \(report.minimumOverlap)".padding(toLength: 34, withPad: " ", startingAt: 0)
        let columns = ["count", "MOTA", "IDF1", "recall", "precision", "switches", "misses", "false pos."]
        func row(_ cells: [String]) -> String {
          zip(cells, columns).map { cell, column in cell.rightAligned(in: max(10, column.count + 1)) }.joined()
        }
        lines.append(heading + row(columns))
        for method in methods {
          let counts = method.tracking[index].counts
          let ratios = [method.countAccuracy, counts.mota, counts.idf1, counts.recall, counts.precision]
          let numbers = [counts[.switches], counts[.misses], counts[.falsePositives]]
          let cells = ratios.map { $0.isFinite ? String(format: "%.4f", $0) : "-" } + numbers.map { String(Int($0)) }
          lines.append(("  " + method.method).padding(toLength: 34, withPad: " ", startingAt: 0) + row(cells))
        }
      }
    }
    return lines.joined(separator: "\n")
  }
}
