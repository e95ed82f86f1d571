import ArgumentParser
import Evaluation

/// `sqair-dist reconstruct`.
struct ReconstructCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Draws sequences next to their reconstructions.",
    discussion: """
      Each picture shows frames, reconstructions, and the boxes of objects in a colour per identity. True boxes are thin \
      and white. What does not fit on one page goes to reconstruction-2.png and so on.

      Examples:
        sqair-dist reconstruct --checkpoint first --data valid.h5 --out pictures
        sqair-dist reconstruct --checkpoint first --data valid.h5 --out errors \\
          --select worst
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Folder for the pictures; created if missing.", completion: .directory)
  var out: String

  @Option(help: "Number of sequences, unless --select names them.")
  var sequences = 8

  @OptionGroup var selection: SelectionOptions

  @Option(help: "Boxes to draw: the attention window, or the box around the pixels that an object draws.")
  var boxes = ObjectBoxKind.window

  func validate() throws {
    try requireAtLeast(1, sequences, "--sequences")
  }

  func run() throws {
    try drawReconstructions(
      ReconstructRequest(
        checkpoint: source.checkpoint.path, data: source.data, out: out, sequences: sequences,
        selection: selection.value, boxes: boxes))
  }
}

/// `sqair-dist generate`.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generates continuations of the first frames of sequences.",
    discussion: """
      Writes a strip (PNG) and an animation (GIF) of the first sequences: the true frames next to each continuation, \
      with boxes in a colour per identity; true boxes are thin and white. The picture `paths` has a line for each of \
      these sequences: the true frames, then each continuation, with the paths of the objects. Frames and latent \
      variables of all continuations are written to imagination.h5. All continuations are measured: whether appearance \
      and number of objects persist, whether objects move as in the file and keep their direction, how diverse the \
      continuations are, and the prediction error compared with two baselines.

      Example:
        sqair-dist generate --checkpoint first --data valid.h5 --out continued \\
          --condition 3 --frames 100 --continuations 5
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Folder for the results; created if missing.", completion: .directory)
  var out: String

  @Option(name: .customLong("condition"), help: "Frames to observe before generating.")
  var observedFrames = 3

  @Option(help: "Frames in total, observed and generated.")
  var frames = 100

  @Option(
    name: [.customLong("continuations"), .customLong("futures")], help: "Continuations of each sequence.")
  var continuations = 5

  @Option(help: "Number of sequences, unless --select names them.")
  var sequences = 16

  @OptionGroup var selection: SelectionOptions

  @Option(help: "Number of sequences to draw.")
  var pictures = 4

  @Option(help: "Boxes to draw: the attention window, or the box around the pixels that an object draws.")
  var boxes = ObjectBoxKind.window

  @Option(help: "Seed of the samples.")
  var seed: UInt64 = 0

  @Option(
    help: """
      Factor on the noise of the appearance of generated objects, 0 to 100: 1 samples from the prior; smaller values \
      keep appearance closer to what the prior expects.
      """)
  var appearanceNoise = 1.0

  @Flag(inversion: .prefixedNo, help: "Whether new objects may appear in generated frames.")
  var discoverLater = false

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, observedFrames, "--condition")
    try requireAtLeast(1, continuations, "--continuations")
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(0, pictures, "--pictures")
    guard (0...100).contains(appearanceNoise) else {
      throw ValidationError("The value of '--appearance-noise' must be from 0 to 100, not \(appearanceNoise).")
    }
    guard frames > observedFrames else {
      throw ValidationError(
        "The value of '--frames' includes the observed frames, so it must be greater than '--condition' "
          + "(\(observedFrames)), not \(frames).")
    }
  }

  func run() throws {
    try generateContinuations(
      GenerateRequest(
        checkpoint: source.checkpoint.path, data: source.data, out: out, observedFrames: observedFrames,
        frames: frames, continuations: continuations, sequences: sequences, seed: seed,
        appearanceNoise: appearanceNoise, discoverLater: discoverLater,
        pictures: pictures, selection: selection.value, boxes: boxes, json: json))
  }
}

/// The choice of sequences to draw.
struct SelectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Sequences, as numbers and ranges such as 3,17,20-25, or `worst` for those with the most frames whose objects are \
      counted wrong. (default: the first of the file)
      """, valueName: "sequences"))
  var select: SequenceSelection?

  var value: SequenceSelection { select ?? .first }
}

extension SequenceSelection: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// `sqair-dist sample`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Samples whole sequences from the prior.",
    discussion: """
      Writes a strip (PNG) and an animation (GIF), and the frames and latent variables (imagination.h5).

      Example:
        sqair-dist sample --checkpoint first --out samples --sequences 16
      """)

  @OptionGroup var checkpoint: CheckpointOptions

  @Option(help: "Folder for the results; created if missing.", completion: .directory)
  var out: String

  @Option(help: "Frames of each sequence.")
  var frames = 10

  @Option(help: "Number of sequences.")
  var sequences = 8

  @Option(help: "Number of sequences to draw.")
  var pictures = 8

  @Option(help: "Seed of the samples.")
  var seed: UInt64 = 0

  @Flag(inversion: .prefixedNo, help: "Whether new objects may appear after the first frame.")
  var discoverLater = true

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, frames, "--frames")
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(0, pictures, "--pictures")
  }

  func run() throws {
    try sampleSequences(
      SampleRequest(
        checkpoint: checkpoint.path, out: out, frames: frames, sequences: sequences, seed: seed,
        discoverLater: discoverLater, pictures: pictures, json: json))
  }
}
