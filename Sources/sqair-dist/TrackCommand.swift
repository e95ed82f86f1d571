import ArgumentParser
import Evaluation
import Runs
import Video

/// `sqair-dist track`.
struct TrackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "track",
    abstract: "Tracks the objects in the whole view of a video.",
    discussion: """
      The model was trained on crops of such a video (`sqair-dist data video`). The view is covered with overlapping \
      crops, and time with overlapping windows; the objects found in crops and windows are joined into tracks. \
      Identities that were swapped where two objects met are swapped back, by the motion before and after, and a \
      track that was lost for a while is joined with its continuation. Under `mpirun` all processes share the work, and \
      the files are the same.

      Writes tracks.txt (MOTChallenge, in pixels of the video), tracks.mp4 and tracks.gif with a colour per identity and \
      the recent path of each object, and tracks.json with all measures. With --truth, true boxes are drawn thin and \
      white, and tracking is compared with that of connected components on the same view; boxes whose flag is 0 are \
      ignored.

      Examples:
        sqair-dist track --checkpoint first --in street.mp4 --out tracked
        mpirun -n 8 sqair-dist track --checkpoint first --in street.mp4 \\
          --out tracked --frames 641-795 --truth gt.txt --overlap 0.5
      """)

  @OptionGroup var checkpoint: CheckpointOptions

  @Option(
    name: .customLong("in"), help: ArgumentHelp("The video, or the folder of pictures.", valueName: "file|folder"),
    completion: .file())
  var input: String

  @Option(help: "Folder for the results; created if missing.", completion: .directory)
  var out: String

  @Option(help: ArgumentHelp("Frames to track. (default: all)", valueName: "first-last"))
  var frames: FrameRangeArgument?

  @Option(
    help: ArgumentHelp("True boxes as MOTChallenge writes them, in pixels of the video.", valueName: "gt.txt"),
    completion: .file())
  var truth: String?

  @OptionGroup var overlap: OverlapOptions

  @Option(
    help: """
      Largest distance between neighbouring crops, in pixels of the view. Objects no larger than the side of a crop \
      minus this distance lie completely inside at least one crop. (default: a quarter of a crop)
      """)
  var step: Int?

  @Option(help: "Frames of a window. (default: those of the training sequences)")
  var length: Int?

  @Option(help: "Frames that consecutive windows have in common.")
  var sharedFrames = TrackRequest.Settings().sharedFrames

  @Option(help: "Fraction, 0 to 1, of the crops containing an object completely that must detect it.")
  var agreement = TrackRequest.Settings().agreement

  @Option(help: "Smallest height of a box, in pixels of the view; smaller ones are left out.")
  var smallestObject = TrackRequest.Settings().smallestHeight

  @Option(
    help: """
      Maximum number of frames for which an object may be lost and still continue the same track at its predicted \
      position; 0 joins no tracks.
      """)
  var longestGap = TrackRequest.Settings().longestGap

  @Option(help: "Smallest number of boxes of a track; shorter tracks are left out.")
  var shortest = TrackRequest.Settings().shortestTrack

  @Option(help: "Particles per crop. (default: as in validations of the run)")
  var particles: Int?

  @Option(help: "Crops computed at a time.")
  var batch = TrackRequest.Settings().batch

  @Option(help: "Boxes of the tracks: the attention window, or the box around the pixels that an object draws.")
  var boxes = TrackRequest.Settings().boxes

  @OptionGroup(title: "Foreground")
  var foreground: ForegroundOptions

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, step, "--step")
    try requireAtLeast(1, length, "--length")
    try requireAtLeast(1, sharedFrames, "--shared-frames")
    try requireAtLeast(0, longestGap, "--longest-gap")
    try requireAtLeast(1, shortest, "--shortest")
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, batch, "--batch")
    guard (0...1).contains(agreement) else {
      throw ValidationError("The value of '--agreement' must be from 0 to 1, not \(agreement).")
    }
    guard smallestObject >= 0 else {
      throw ValidationError("The value of '--smallest-object' must be at least 0, not \(smallestObject).")
    }
    if let problem = foreground.settings.problem {
      throw ValidationError("These options are not possible: \(problem).")
    }
  }

  func run() throws {
    var settings = TrackRequest.Settings()
    settings.step = step
    settings.length = length
    settings.sharedFrames = sharedFrames
    settings.agreement = agreement
    settings.smallestHeight = smallestObject
    settings.longestGap = longestGap
    settings.shortestTrack = shortest
    settings.particles = particles
    settings.batch = batch
    settings.boxes = boxes
    var view = VideoSequenceSettings()
    foreground.apply(to: &view)
    try trackVideo(
      TrackRequest(
        checkpoint: checkpoint.path, input: input, out: out, truth: truth, frames: frames?.range.indices,
        backgroundFrames: view.backgroundFrames?.indices, viewHeight: view.viewHeight, viewWidth: view.viewWidth,
        foreground: view.foreground, settings: settings, minimumOverlaps: overlap.minimumOverlaps,
        json: json))
  }
}
