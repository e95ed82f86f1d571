import ArgumentParser
import Cluster
import Foundation
import MovingDigits
import Report
import Runs
import Storage

/// `sqair-dist data`: the commands that create sequence files.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Creates sequence files.",
    subcommands: [MovingDigitsCommand.self, VideoCommand.self])
}

/// `sqair-dist data moving-digits`.
struct MovingDigitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "moving-digits",
    abstract: "Generates sequences of moving digits, with counts, boxes, identities and classes.",
    discussion: """
      The built-in digits are pen strokes and need no download; --digits DIR reads MNIST from the four *-ubyte or \
      *-ubyte.gz files in a folder. Training and test sequences never share a digit. Equal options give equal files \
      on any number of cores.

      Examples:
        sqair-dist data moving-digits --out train.h5 --sequences 10000
        sqair-dist data moving-digits --out valid.h5 --sequences 1000 \\
          --split test --mean-from train.h5
        sqair-dist data moving-digits --out paper.h5 --sequences 60000 \\
          --motion reference --digits mnist
        sqair-dist data moving-digits --out hard.h5 --sequences 500 \\
          --split test --mean-from train.h5 --occluded
      """)

  @Option(help: "The file to create.", completion: .sequences)
  var out: String

  @Option(help: "Number of sequences.")
  var sequences: Int

  @Option(help: "Frames of each sequence.")
  var frames = 10

  @Option(
    help: ArgumentHelp("The built-in digits, or the folder of the MNIST files.", valueName: "builtin|dir"),
    completion: .directory)
  var digits = "builtin"

  @Option(help: "Which digits to use.")
  var split = DigitSplit.train

  @Option(
    help:
      "Motion: gentle is slow and stays inside; reference, as published, is fast, accelerated and leaves the canvas.")
  var motion = Motion.gentle

  @Flag(exclusivity: .exclusive)
  var challenge: ChallengeOption?

  @Option(help: ArgumentHelp("Grey level of the bar of --occluded. (default: 0, black)", valueName: "0-255"))
  var barShade: UInt8?

  @Option(help: "Maximum number of digits in a sequence; uniform from 0.")
  var maxDigits = 2

  @Option(help: ArgumentHelp("Frame size in pixels: the side of a square, or HEIGHTxWIDTH.", valueName: "pixels"))
  var canvas = Canvas(height: 50, width: 50)

  @OptionGroup var file: SequenceFileOptions

  func validate() throws {
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(1, frames, "--frames")
    try requireAtLeast(1, maxDigits, "--max-digits")
    if barShade != nil, challenge != .occluded {
      throw ValidationError("'--bar-shade' can only be used with '--occluded'.")
    }
  }

  func run() throws {
    guard isWorker("data moving-digits") else { return }
    let output = try SequenceFileOutput(out, OutputPaths(reading: [("--mean-from", file.meanFrom)]), file)
    var settings = MovingDigitsSettings()
    settings.sequences = sequences
    settings.frames = frames
    settings.canvasHeight = canvas.height
    settings.canvasWidth = canvas.width
    settings.motion = motion
    settings.maximumDigits = maxDigits
    settings.digits = digits == "builtin" ? .strokes : .mnist(directory: digits)
    settings.split = split
    settings.challenge = challenge?.challenge(barShade: barShade ?? 0)
    settings.seed = file.seed
    let mean = try file.meanFrame(height: canvas.height, width: canvas.width, sizeOption: "--canvas")
    try StopSignals.installForCommand()
    let progress = ProgressLine(label: "data", total: UInt64(sequences), unit: "sequences")
    try DigitFile.write(settings, to: out, mean: mean, overwrite: file.force) { done in
      progress.update(UInt64(done))
      try SequenceFileOutput.throwIfStopped()
    }
    progress.finish()
    try output.report()
  }
}

/// Height and width of a frame, as "50" or "48x64".
struct Canvas: ExpressibleByArgument {
  let height: Int
  let width: Int

  init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  init?(argument: String) {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count <= 2, let height = sides.first ?? nil, let width = sides.last ?? nil, height > 0, width > 0
    else { return nil }
    self.init(height: height, width: width)
  }

  var defaultValueDescription: String { height == width ? "\(height)" : "\(height)x\(width)" }
}

/// `--occluded` and `--overlap`.
enum ChallengeOption: String, EnumerableFlag {
  case occluded
  case overlap

  static func help(for value: ChallengeOption) -> ArgumentHelp? {
    switch value {
    case .occluded: "Draw a bar that occludes some digits for some frames, and record what it occludes."
    case .overlap: "Two digits cross on straight lines and cover each other at mid-sequence, regardless of --motion."
    }
  }

  func challenge(barShade: UInt8) -> Challenge {
    switch self {
    case .occluded: .occluded(barShade: barShade)
    case .overlap: .overlap
    }
  }
}

extension DigitSplit: ExpressibleByArgument {}
extension Motion: ExpressibleByArgument {}
