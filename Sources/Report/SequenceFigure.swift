/// A drawing of sequences: strips of frames below each other, with the boxes of objects.
///
/// A figure is a list of blocks (one a sequence), a block is a list of rows (input, reconstruction,
/// a continuation ...), a row is a strip of frames, one a time step. Boxes are coloured by identity, so
/// an object that keeps its colour from left to right was tracked.
///
///                         t = 0    1      2
///     sequence 17
///     input               [  ]   [  ]   [  ]
///     reconstruction      [  ]   [  ]   [  ]
///
/// `tracking` and `continuations` make the two standard figures; `draw` makes the picture.
public struct SequenceFigure: Sendable {
  /// Where an object is: lengths in pixels of the frame, y down and x right, may reach outside.
  public struct Box: Hashable, Sendable {
    public var y: Float
    public var x: Float
    public var height: Float
    public var width: Float
    /// Identity of the object, which chooses the colour; negative = unknown, drawn grey.
    public var id: Int

    /// A box with its upper left corner, its size and its identity.
    public init(y: Float, x: Float, height: Float, width: Float, id: Int) {
      (self.y, self.x, self.height, self.width, self.id) = (y, x, height, width, id)
    }
  }

  /// A strip of frames.
  public struct Row: Sendable {
    /// How the edge of a box is drawn.
    public enum BoxStyle: Sendable {
      /// One pixel wide: the picture below stays readable.
      case thin
      /// Two pixels wide at the usual scale.
      case bold
    }

    /// Text at the left.
    public var label: String
    /// One image a time step, each `[frameHeight, frameWidth]` with values 0 (black) to 1 (white).
    /// May end before the other rows do.
    public var frames: [[Float]]
    /// The boxes of each frame; may be empty or end early.
    public var boxes: [[Box]]
    /// Thickness of the boxes' edges.
    public var boxStyle: BoxStyle
    /// True boxes to compare with, thin and white; may be empty or end early.
    public var trueBoxes: [[Box]]

    /// A row of frames, with boxes or without.
    public init(
      label: String, frames: [[Float]], boxes: [[Box]] = [], boxStyle: BoxStyle = .bold, trueBoxes: [[Box]] = []
    ) {
      (self.label, self.frames, self.boxes, self.boxStyle) = (label, frames, boxes, boxStyle)
      self.trueBoxes = trueBoxes
    }
  }

  /// The rows of one sequence.
  public struct Block: Sendable {
    /// A line above the rows; empty for none.
    public var heading: String
    /// From top to bottom.
    public var rows: [Row]

    /// A block of rows with its heading.
    public init(heading: String = "", rows: [Row]) {
      (self.heading, self.rows) = (heading, rows)
    }
  }

  /// A vertical rule between two time steps, with a label on each side.
  public struct Divider: Sendable, Equatable {
    /// The rule is before this time step.
    public var step: Int
    /// Words above the steps before the rule and above those after it.
    public var before: String
    public var after: String

    /// A rule before time step `step`.
    public init(before step: Int, labels before: String = "", _ after: String = "") {
      (self.step, self.before, self.after) = (step, before, after)
    }
  }

  /// A line at the top; empty for none.
  public var title: String
  /// Rows of pixels in a frame.
  public var frameHeight: Int
  /// Columns of pixels in a frame.
  public var frameWidth: Int
  /// One block a sequence, from top to bottom.
  public var blocks: [Block]
  /// Text above each time step; empty for "t = 0", "1", "2" ...
  public var columnLabels: [String] = []
  /// The vertical rule, if there is one.
  public var divider: Divider?
  /// Side of the square that a pixel of a frame becomes.
  public var scale = 3
  /// The picture gets no wider than this many pixels as long as two columns fit: of a long sequence
  /// only chosen steps are drawn (`shownSteps`), and the labels above say which.
  public var maximumWidth = 3_900
  /// An animation gets no wider than this many pixels as long as one frame fits.
  public var maximumAnimationWidth = 1_000

  /// A figure; `scale`, `columnLabels`, `divider` and the widths may be set afterwards.
  public init(title: String, frameHeight: Int, frameWidth: Int, blocks: [Block]) {
    (self.title, self.frameHeight, self.frameWidth, self.blocks) = (title, frameHeight, frameWidth, blocks)
  }

  /// A page gets no taller than this many pixels as long as one block fits.
  public var maximumPageHeight = 3_900

  /// Enlargement of the text, so that it stays readable beside large frames.
  var textScale: Int { scale >= 3 ? 2 : 1 }

  /// Time steps of the longest row.
  public var steps: Int { blocks.flatMap(\.rows).map(\.frames.count).max() ?? 0 }

  /// At most `limit` (at least 2) of `count` steps, evenly spread; always the first and the last.
  ///
  /// With a boundary inside of the sequence and a limit of at least 4, also the last step before
  /// the boundary and the first behind it: each side is spread by itself, by its share of the steps.
  package static func evenSteps(of count: Int, atMost limit: Int, keeping boundary: Int?) -> [Int] {
    func spread(_ number: Int, over steps: Range<Int>) -> [Int] {
      guard number < steps.count else { return Array(steps) }
      guard number > 1 else { return [steps.lowerBound] }
      // Rounded to the nearest: (2 i (n - 1) + (k - 1)) / (2 (k - 1)).
      return (0..<number).map { steps.lowerBound + (2 * $0 * (steps.count - 1) + number - 1) / (2 * (number - 1)) }
    }
    guard count > limit, let boundary, boundary > 0, boundary < count, limit >= 4 else {
      return spread(limit, over: 0..<count)
    }
    let share = (2 * limit * boundary + count) / (2 * count)
    let before = max(min(2, boundary), min(share, limit - min(2, count - boundary)))
    return spread(before, over: 0..<boundary) + spread(limit - before, over: boundary..<count)
  }
}

// MARK: - The standard figures

extension SequenceFigure {
  /// One sequence with its reconstruction.
  public struct Tracked: Sendable {
    /// A line above, such as "sequence 17"; empty for none.
    public var heading: String
    /// `[T]` images of the data.
    public var input: [[Float]]
    /// `[T]` images that the model reconstructed.
    public var reconstruction: [[Float]]
    /// `[T]` lists of the boxes that the model found, with identities.
    public var boxes: [[Box]]
    /// `[T]` lists of the true boxes; empty if they are not known.
    public var trueBoxes: [[Box]]

    /// A sequence, its reconstruction and the boxes found in it.
    public init(
      heading: String = "", input: [[Float]], reconstruction: [[Float]], boxes: [[Box]], trueBoxes: [[Box]] = []
    ) {
      (self.heading, self.input, self.reconstruction, self.boxes) = (heading, input, reconstruction, boxes)
      self.trueBoxes = trueBoxes
    }
  }

  /// The standard figure: for each sequence the input and the reconstruction with what was found (bold boxes). True
  /// boxes are thin and white; where they are not known, the input has thin boxes of what was found.
  public static func tracking(
    title: String, frameHeight: Int, frameWidth: Int, sequences: [Tracked]
  ) -> SequenceFigure {
    SequenceFigure(
      title: title, frameHeight: frameHeight, frameWidth: frameWidth,
      blocks: sequences.map { sequence in
        Block(
          heading: sequence.heading,
          rows: [
            Row(
              label: "input", frames: sequence.input, boxes: sequence.trueBoxes.isEmpty ? sequence.boxes : [],
              boxStyle: .thin, trueBoxes: sequence.trueBoxes),
            Row(
              label: "reconstruction", frames: sequence.reconstruction, boxes: sequence.boxes,
              trueBoxes: sequence.trueBoxes),
          ])
      })
  }

  /// Several continuations of one sequence: on top the truth, below one row per continuation, whose first
  /// `observedFrames` frames are reconstructions and whose others were generated.
  public static func continuations(
    title: String, frameHeight: Int, frameWidth: Int, observedFrames: Int, truth: Row, continuations: [Row]
  ) -> SequenceFigure {
    var figure = SequenceFigure(
      title: title, frameHeight: frameHeight, frameWidth: frameWidth, blocks: [Block(rows: [truth] + continuations)])
    figure.divider = Divider(before: observedFrames, labels: "observed", "generated")
    return figure
  }
}
