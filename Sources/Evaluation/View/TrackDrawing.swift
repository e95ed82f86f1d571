import Report
import Tracking

/// Draws tracks on the frames of a video: boxes in the colours of identities, and where the objects came from. True
/// boxes are thin and white.
struct TrackDrawing {
  /// Found boxes by frame.
  let frames: [[TrackedBox]]
  /// True boxes by frame; empty if they are not known.
  let truth: [[TrackedBox]]
  /// Pixels of the drawing per pixel of the boxes.
  let scaleY: Double
  let scaleX: Double

  /// Frames of a trail.
  private static let trail = 25

  func draw(_ index: Int, on picture: inout Picture) {
    let thickness = max(1, Int((scaleY / 1.5).rounded()))
    for box in index < truth.count ? truth[index] : [] { outline(box, .white, thickness: 1, on: &picture) }
    for box in frames[index] {
      let color = Palette.color(ofIdentity: box.id)
      var later = box
      for frame in stride(from: index - 1, through: max(0, index - Self.trail), by: -1) {
        guard let earlier = frames[frame].first(where: { $0.id == box.id }) else { break }
        // Feet, which touch the ground where the object walked.
        picture.line(
          y0: scaleY * (earlier.y + earlier.height), x0: scaleX * (earlier.x + earlier.width / 2),
          y1: scaleY * (later.y + later.height), x1: scaleX * (later.x + later.width / 2),
          thickness: Double(thickness), color)
        later = earlier
      }
      outline(box, color, thickness: thickness, on: &picture)
    }
  }

  private func outline(_ box: TrackedBox, _ color: Color, thickness: Int, on picture: inout Picture) {
    let edges = [box.y * scaleY, box.x * scaleX, box.height * scaleY, box.width * scaleX].map { $0.rounded() }
    guard edges.allSatisfy({ $0.isFinite && abs($0) < 1e6 }) else { return }
    picture.outline(
      y: Int(edges[0]), x: Int(edges[1]), height: Int(edges[2]), width: Int(edges[3]), thickness: thickness, color)
  }
}
