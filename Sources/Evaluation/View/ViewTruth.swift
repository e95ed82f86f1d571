import Runs
import Tracking

/// The true objects in pixels of the view, by frame.
struct ViewTruth {
  let boxes: SequenceTruthBoxes

  init(_ truth: MOTChallengeTruth, of video: ForegroundVideo) {
    let scaled = truth.scaled(
      vertically: Double(video.height) / Double(video.video.height),
      horizontally: Double(video.width) / Double(video.video.width))
    func boxes(ignored: Bool) -> [[TrackedBox]] {
      video.frames.map { frame in
        (scaled.frames[frame] ?? []).filter { $0.isIgnored == ignored }.map {
          TrackedBox(id: Int($0.identity), y: $0.y, x: $0.x, height: $0.height, width: $0.width)
        }
      }
    }
    self.boxes = SequenceTruthBoxes(objects: boxes(ignored: false), ignored: boxes(ignored: true))
  }
}
