import Video

/// The model and the video of `track`, and the output.
public struct TrackRequest: Sendable {
  /// How objects are looked for and joined.
  public struct Settings: Sendable {
    /// Largest distance of neighbouring crops, in pixels of the view; nil for a quarter of a crop.
    public var step: Int?
    /// Frames of a window; nil for those of the training.
    public var length: Int?
    /// Frames that consecutive windows have in common.
    public var sharedFrames = 1
    /// Share of the crops which see an object whole that have to find it.
    public var agreement = 0.5
    /// Boxes with fewer rows, in pixels of the view, are left out.
    public var smallestHeight = 8.0
    /// Frames for which an object may be lost and found again as the same one, at most.
    public var longestGap = 30
    /// Tracks with fewer boxes are left out.
    public var shortestTrack = 10
    /// Particles per crop; nil for those of the validations of the run.
    public var particles: Int?
    /// Crops computed at a time.
    public var batch = 8
    /// The boxes of objects.
    public var boxes = ObjectBoxKind.drawn

    public init() {}
  }

  /// Path of the checkpoint file, or of a run folder, which stands for its latest valid checkpoint.
  public var checkpoint: String
  /// The video, or the folder of pictures.
  public var input: String
  /// Folder for the results; created if needed.
  public var out: String
  /// True boxes in the MOTChallenge format; nil if they are not known.
  public var truth: String?
  /// Indices of the frames; nil for all.
  public var frames: Range<Int>?
  /// Indices of the frames that the background is taken from; nil for all.
  public var backgroundFrames: Range<Int>?
  /// Rows and columns of the view; no columns keep the proportions of the video.
  public var viewHeight: Int
  public var viewWidth: Int?
  public var foreground: ForegroundSettings
  public var settings: Settings
  /// Smallest intersections over union of two boxes that are the same object; tracking is measured for each.
  public var minimumOverlaps: [Double]
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoint: String, input: String, out: String, truth: String?, frames: Range<Int>?, backgroundFrames: Range<Int>?,
    viewHeight: Int, viewWidth: Int?, foreground: ForegroundSettings, settings: Settings, minimumOverlaps: [Double],
    json: Bool
  ) {
    self.checkpoint = checkpoint
    self.input = input
    self.out = out
    self.truth = truth
    self.frames = frames
    self.backgroundFrames = backgroundFrames
    self.viewHeight = viewHeight
    self.viewWidth = viewWidth
    self.foreground = foreground
    self.settings = settings
    self.minimumOverlaps = minimumOverlaps
    self.json = json
  }
}
