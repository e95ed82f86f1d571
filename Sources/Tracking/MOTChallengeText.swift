/// Tracks as text in the format of MOTChallenge, which other tools read.
///
/// One box per line: frame, identity, left, top, width, height, confidence, and three world coordinates, which are -1.
/// The format counts frames, identities and pixels from 1; `TrackedBox` counts from 0.
public enum MOTChallengeText {
  /// The lines of one sequence's boxes, frame by frame.
  ///
  /// - Parameter firstFrame: index of the first frame, from 0.
  public static func tracks(_ frames: [[TrackedBox]], firstFrame: Int = 0) -> String {
    var text = ""
    for (frame, boxes) in frames.enumerated() {
      for box in boxes {
        text +=
          "\(firstFrame + frame + 1),\(box.id + 1),\(box.x + 1),\(box.y + 1),\(box.width),\(box.height),1,-1,-1,-1\n"
      }
    }
    return text
  }

  /// The content of `seqinfo.ini` beside the true tracks of a sequence.
  public static func information(name: String, frames: Int, height: Int, width: Int) -> String {
    "[Sequence]\nname=\(name)\nseqLength=\(frames)\nimWidth=\(width)\nimHeight=\(height)\n"
  }
}
