import Cluster
import Tracking

/// Reads a video window by window, lets the model and the baselines look at it, and joins what they find.
struct ViewTracking {
  /// What was found, on rank 0; empty elsewhere.
  struct Result {
    var joining = WindowJoining()
    /// The tracks of each baseline by frame.
    var baselines: [(baseline: ComponentTracking, frames: [[TrackedBox]])] = []
  }

  let inference: ViewInference
  let merging: TrackletMerging
  let frameCount: Int
  let sharedFrames: Int

  /// Windows whose frames are in memory at a time.
  private static let windowsAtATime = 16

  /// - Parameters:
  ///   - video: on rank 0.
  ///   - progress: called with the number of frames that are finished; an error stops the work.
  func track(_ video: ForegroundVideo?, progress: (Int) throws -> Void) throws -> Result {
    let (grid, communicator) = (inference.grid, inference.communicator)
    let size = grid.viewHeight * grid.viewWidth
    var result = Result()
    var trackers = ComponentTracking.ofView.map { (baseline: $0, tracker: MotionTracker($0.motion)) }
    if communicator.isRoot { result.baselines = trackers.map { ($0.baseline, []) } }
    let starts = WindowJoining.starts(frameCount: frameCount, length: inference.length, sharedFrames: sharedFrames)
    // The frames from `first` on that are in memory.
    var (frames, first) = ([UInt8](), 0)
    for begin in stride(from: 0, to: starts.count, by: Self.windowsAtATime) {
      let block = starts[begin..<min(begin + Self.windowsAtATime, starts.count)]
      let end = block.last! + inference.length
      frames.removeFirst((block.first! - first) * size)
      first = block.first!
      let read = try communicator.collectively("reading the video") { () throws -> [UInt8] in
        var read: [UInt8] = []
        guard let video else { return read }
        for index in first + frames.count / size..<end {
          guard let frame = try video.next() else {
            throw VideoEnd(path: video.video.path, frame: video.frames.lowerBound + index)
          }
          read += frame
          for index in trackers.indices {
            let detections = trackers[index].baseline.detector.boxes(
              in: frame, height: grid.viewHeight, width: grid.viewWidth)
            result.baselines[index].frames.append(trackers[index].tracker.track(detections))
          }
        }
        return read
      }
      frames += try communicator.broadcast(read)
      let windows = block.enumerated().map { offset, start in
        (
          index: begin + offset,
          frames: Array(frames[(start - first) * size..<(start - first + inference.length) * size])
        )
      }
      let found = try inference.tracklets(windows) { _ in try progress(first) }
      if communicator.isRoot {
        for (start, tracklets) in zip(block, found) {
          result.joining.add(merging.merge(tracklets), first: start, count: inference.length)
        }
      }
      try progress(end)
    }
    return result
  }
}

/// The video has fewer frames than it says.
private struct VideoEnd: Error, CustomStringConvertible {
  let path: String
  let frame: Int

  var description: String {
    "\(path): it ends after frame \(frame). Give the frames that it has: --frames FIRST-\(frame)."
  }
}

extension ComponentTracking {
  /// The motion of people in a whole view: objects are nearer to each other than in a crop, and more of them hide each
  /// other.
  private static let motionInView = MotionTracker.Settings(reach: 8, longestGap: 6, accelerationVariance: 0.3)

  /// Components with wide ones split, in a whole view.
  static let splitInView = ComponentTracking(
    name: "components, split", detector: ComponentDetector(splitAspect: 0.75), motion: motionInView)

  /// The baselines beside a whole view.
  static var ofView: [ComponentTracking] {
    var coasts = motionInView
    coasts.coasting = 3
    return [
      ComponentTracking(name: "components", detector: ComponentDetector(), motion: motionInView), splitInView,
      ComponentTracking(
        name: "components, split and coasting 3", detector: splitInView.detector, motion: coasts),
    ]
  }
}
