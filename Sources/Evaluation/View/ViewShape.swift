import Cluster
import Runs

/// Rows, columns and frames of the view, the same on all ranks.
struct ViewShape {
  let height: Int
  let width: Int
  let frameCount: Int
  /// Index of the first frame in the video.
  let firstFrame: Int

  /// - Parameter video: on rank 0.
  init(_ video: ForegroundVideo?, _ communicator: Communicator) throws {
    let own = video.map { "\($0.height) \($0.width) \($0.frames.count) \($0.frames.lowerBound)" } ?? ""
    let numbers = try communicator.broadcast(own).split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 4 else { throw RunError("rank 0 sent no view. This is a bug in the program.") }
    (height, width, frameCount, firstFrame) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
