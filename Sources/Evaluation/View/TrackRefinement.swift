import Tracking

/// Refines the tracks of a whole view once all of them are known: identity switches at meetings are undone
/// (`CrossingRepair`), parts of a track are joined (`TrackLinking`), short tracks are dropped, and meetings of the
/// joined tracks are looked at again, because a track that was lost in one was not known on both sides of it before.
package struct TrackRefinement: Sendable {
  /// Frames for which an object may be lost, at most.
  package let longestGap: Int
  /// Tracks with fewer boxes are left out: mostly specks and shadows.
  package let shortest: Int

  package init(longestGap: Int, shortest: Int) { (self.longestGap, self.shortest) = (longestGap, shortest) }

  /// - Parameter frames: boxes by frame, with an identity once per frame at most.
  /// - Returns: boxes by frame; identities count from 0 in the order in which tracks begin.
  package func refine(_ frames: [[TrackedBox]]) -> [[TrackedBox]] {
    let linked = TrackLinking(longestGap: longestGap).link(CrossingRepair().repair(frames))
    var counts: [Int: Int] = [:]
    for box in linked.joined() { counts[box.id, default: 0] += 1 }
    return numbered(CrossingRepair().repair(linked.map { $0.filter { counts[$0.id]! >= shortest } }))
  }

  private func numbered(_ frames: [[TrackedBox]]) -> [[TrackedBox]] {
    var numbers: [Int: Int] = [:]
    return frames.map { frame in
      let boxes = frame.map { box in
        var box = box
        if numbers[box.id] == nil { numbers[box.id] = numbers.count }
        box.id = numbers[box.id]!
        return box
      }
      return boxes.sorted { $0.id < $1.id }
    }
  }
}
