import ArgumentParser
import Runs
import Video

/// Which crops are taken from the view.
struct CropOptions: ParsableArguments {
  private static let defaults = VideoSequenceSettings()

  @Option(help: ArgumentHelp("Frames that sequences are taken from. (default: all)", valueName: "first-last"))
  var frames: FrameRangeArgument?

  @Option(help: "Side of a crop, in pixels of the view.")
  var size = Self.defaults.size

  @Option(help: "Frames of the video from one frame of a sequence to the next.")
  var stride = Self.defaults.stride

  @Option(
    help: ArgumentHelp("Percentages of crops with 0, 1, 2, ... components in the first frame.", valueName: "a,b,c,..."))
  var shares = ShareList(values: Self.defaults.shares)

  @Option(help: "Row of the view at which the uppermost crops begin.")
  var firstRow = Self.defaults.firstRow

  @Option(
    help: ArgumentHelp(
      "Maximum foreground pixels per frame on the outer two rows and columns of a crop; crops with more are rejected.",
      valueName: "pixels"))
  var edge = Self.defaults.maximumEdgePixels

  @Option(help: ArgumentHelp("Fraction of the crops that are mirrored, 0 to 1.", valueName: "fraction"))
  var mirror = Self.defaults.mirrored

  @Option(
    help: ArgumentHelp(
      "Largest relative difference of a crop's size from --size, to which crops are scaled.", valueName: "fraction"))
  var jitter = Self.defaults.jitter

  func apply(to settings: inout VideoSequenceSettings) {
    settings.frames = frames?.range
    settings.size = size
    settings.stride = stride
    settings.shares = shares.values
    settings.firstRow = firstRow
    settings.maximumEdgePixels = edge
    settings.mirrored = mirror
    settings.jitter = jitter
  }
}

/// How the foreground is separated from the background.
struct ForegroundOptions: ParsableArguments {
  private static let defaults = ForegroundSettings()

  @Option(
    help: ArgumentHelp(
      "Rows, or rows x columns, that frames are scaled to. (default: 180, in proportion)", valueName: "HxW"))
  var view: ViewSize?

  @Option(help: ArgumentHelp("Frames that the background is taken from. (default: all)", valueName: "first-last"))
  var background: FrameRangeArgument?

  @Option(
    help: "Difference from the background, in the colour that differs most, above which a pixel is foreground, 0-255.")
  var threshold = Self.defaults.threshold

  @Option(help: "Side of the square by which the mask is opened, to remove specks; 1 changes nothing.")
  var opening = Self.defaults.opening

  @Option(help: "Side of the square by which the mask is then dilated; 1 changes nothing.")
  var dilation = Self.defaults.dilation

  @Option(help: "Fewest pixels of a component; smaller ones are dropped.")
  var smallest = Self.defaults.smallestArea

  @Option(help: "Largest ratio of width to height of a component; wider ones are dropped.")
  var widest = Self.defaults.widestAspect

  @Option(help: "Row of the view; components that end above it are dropped.")
  var ignoreAbove = Self.defaults.ignoredRows

  @Option(help: "Largest difference that becomes black.")
  var offset = Self.defaults.offset

  @Option(help: "Difference above --offset that becomes white.")
  var gain = Self.defaults.gain

  var settings: ForegroundSettings {
    ForegroundSettings(
      threshold: threshold, opening: opening, dilation: dilation, smallestArea: smallest, widestAspect: widest,
      ignoredRows: ignoreAbove, offset: offset, gain: gain)
  }

  func apply(to settings: inout VideoSequenceSettings) {
    settings.foreground = self.settings
    settings.backgroundFrames = background?.range
    settings.viewHeight = view?.height ?? settings.viewHeight
    settings.viewWidth = view?.width
  }
}

/// What is known about the objects in the video.
struct TruthOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("True boxes as MOTChallenge writes them, in pixels of the video.", valueName: "gt.txt"),
    completion: .file())
  var truth: String?

  @Option(
    help: ArgumentHelp(
      "Fraction of a true box that must be in the crop for the object to count.", valueName: "fraction"))
  var inside = VideoSequenceSettings().inside

  @Option(help: "Maximum number of true objects in a frame; crops with more are rejected. (default: no limit)")
  var maxObjects: Int?

  @Flag(help: "Reject crops that show ignored boxes.")
  var leaveOutIgnored = false

  func apply(to settings: inout VideoSequenceSettings) {
    settings.inside = inside
    settings.maximumObjects = maxObjects
    settings.leavesOutIgnored = leaveOutIgnored
  }
}

/// A range of frames, as "1-500".
struct FrameRangeArgument: ExpressibleByArgument {
  let range: VideoSequenceSettings.FrameRange

  init?(argument: String) {
    let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 1, last >= first else { return nil }
    range = VideoSequenceSettings.FrameRange(first: first, last: last)
  }
}

/// Rows and columns, as "180x240" or "180".
struct ViewSize: ExpressibleByArgument {
  let height: Int
  let width: Int?

  init?(argument: String) {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(sides.count), let height = sides[0], height > 0 else { return nil }
    if sides.count == 2 { guard let width = sides[1], width > 0 else { return nil } }
    self.height = height
    self.width = sides.count == 2 ? sides[1] : nil
  }
}

/// Percentages, as "10,30,30,30".
struct ShareList: ExpressibleByArgument {
  /// Fractions of their sum.
  let values: [Double]

  init(values: [Double]) { self.values = values }

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? -1 }
    let sum = numbers.reduce(0, +)
    guard numbers.allSatisfy({ $0 >= 0 && $0.isFinite }), sum > 0 else { return nil }
    values = numbers.map { $0 / sum }
  }

  var defaultValueDescription: String { values.map { "\(Int(($0 * 100).rounded()))" }.joined(separator: ",") }
}
