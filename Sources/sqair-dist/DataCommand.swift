import ArgumentParser
import Cluster
import Diagnostics
import Evaluation
import Foundation
import MovingDigits
import Report
import Runs
import Storage
import Training

/// `sqair-dist data`, the makers of sequence files.
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
    help: "Motion: gentle is slow and stays inside; reference is as published: fast, accelerated, leaving the canvas.")
  var motion = Motion.gentle

  @Flag(exclusivity: .exclusive)
  var challenge: ChallengeOption?

  @Option(help: ArgumentHelp("Grey level of the bar of --occluded. (default: 0, black)", valueName: "0-255"))
  var barShade: UInt8?

  @Option(help: "Maximum number of digits in a sequence; uniform from 0.")
  var maxDigits = 2

  @Option(help: ArgumentHelp("Frame size in pixels: the side of a square, or HEIGHTxWIDTH.", valueName: "pixels"))
  var canvas = Canvas(height: 50, width: 50)

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Training file from which to copy the mean frame. (default: computed from the new file)", valueName: "file"),
    completion: .sequences)
  var meanFrom: String?

  @Flag(help: "Replace the file if it exists.")
  var force = false

  func validate() throws {
    if out.isEmpty { throw ValidationError("The value of '--out' is empty; give a file name.") }
    if digits.isEmpty { throw ValidationError("The value of '--digits' is empty; give 'builtin' or a folder.") }
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(1, frames, "--frames")
    try requireAtLeast(1, maxDigits, "--max-digits")
    if barShade != nil, challenge != .occluded {
      throw ValidationError("'--bar-shade' can only be used with '--occluded'.")
    }
  }

  func run() throws {
    guard launchedRank() == 0 else { return }
    let outputs = OutputPaths(reading: [("--mean-from", meanFrom)])
    let replaces = try outputs.check(out, .sequences, option: "--out")
    if replaces, !force {
      throw StorageError(
        file: out, problem: "the file exists", hint: "Choose another name, or add --force to replace it.")
    }
    let replaced = replaces ? (try? SequenceFile(path: out))?.identity ?? "damaged" : nil
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
    settings.seed = seed
    let mean = try meanFrame()
    try StopSignals.installForCommand()
    let progress = ProgressLine(label: "data", total: UInt64(sequences), unit: "sequences")
    try DigitFile.write(settings, to: out, mean: mean, overwrite: force) { done in
      progress.update(UInt64(done))
      if let signal = StopSignals.requested { throw Interrupted(signal: signal, consequence: "no file was written") }
    }
    progress.finish()
    if let replaced { print("replaced \(out), which was \(replaced)") }
    try SequenceSummary(SequenceFile(path: out)).print()
  }

  /// The mean frame of the training file, if one is named.
  private func meanFrame() throws -> [Float]? {
    guard let meanFrom else { return nil }
    let file = try SequenceFile(path: meanFrom)
    guard file.height == canvas.height, file.width == canvas.width else {
      throw StorageError(
        file: meanFrom, part: "/mean",
        problem: "its frames are \(file.height) x \(file.width), those asked for \(canvas.height) x \(canvas.width)",
        hint: "Make both with the same --canvas.")
    }
    return file.mean
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
    case .overlap: "Two digits cross on straight lines and cover each other at mid-sequence, whatever --motion says."
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
