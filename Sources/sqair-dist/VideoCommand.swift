import ArgumentParser
import Cluster
import Foundation
import Report
import Runs
import Storage
import Video

/// `sqair-dist data video`.
struct VideoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "video",
    abstract: "Cuts sequences from a video of a camera that does not move.",
    discussion: """
      The input is a video file that ffmpeg can decode, a folder of numbered PNG or JPEG pictures, or a NumPy array of \
      uint8 in a file *.npy. ffmpeg runs as a program of its own; scripts/install --video installs it.

      Of videos and pictures the background is removed: frames are scaled to the view, and what differs from the median \
      over time becomes bright on black. Crops are chosen at random places and times, without labels, by the number of \
      connected components in their first frame. --preview draws each stage, so that the numbers can be set by eye.

      Arrays are taken as they are: [N, T, H, W], [T, N, H, W] as test sets of moving MNIST are published, or one video \
      [T, H, W]. The shorter of the first two axes is taken as time unless --axes says otherwise.

      Equal input and equal options give equal files. Frames are counted from 1, as in MOTChallenge.

      Examples:
        sqair-dist data video --in street.mp4 --preview stages.png
        sqair-dist data video --in street.mp4 --out train.h5 --frames 1-500
        sqair-dist data video --in street.mp4 --out test.h5 --frames 641-795 \\
          --mean-from train.h5 --truth gt.txt --mirror 0 --sequences 400
        sqair-dist data video --in mnist_test_seq.npy --out moving-mnist.h5
      """)

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp("The video, the folder of pictures, or the array.", valueName: "file|folder|npy"),
    completion: .file())
  var input: String

  @Option(help: "The file to create.", completion: .sequences)
  var out: String?

  @Option(
    help: ArgumentHelp("Picture of the stages of three frames; --out may be left out with it.", valueName: "file.png"),
    completion: .file(extensions: ["png"]))
  var preview: String?

  @Option(help: ArgumentHelp("Number of sequences. (default: 10000; of an array, all)", valueName: "number"))
  var sequences: Int?

  @Option(help: ArgumentHelp("Frames of each sequence. (default: 5; of an array, all)", valueName: "number"))
  var length: Int?

  @OptionGroup(title: "Choice of crops")
  var crops: CropOptions

  @OptionGroup(title: "Foreground")
  var foreground: ForegroundOptions

  @OptionGroup(title: "Ground truth")
  var truth: TruthOptions

  @Option(
    help: ArgumentHelp(
      "Training file from which to copy the mean frame. (default: computed from the new file)", valueName: "file"),
    completion: .sequences)
  var meanFrom: String?

  @Option(help: "Of an array: which of the first two axes is time, NTHW or TNHW.")
  var axes: ArrayAxes?

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 0

  @Flag(help: "Replace the file if it exists.")
  var force = false

  func validate() throws {
    if input.isEmpty { throw ValidationError("The value of '--in' is empty; name a video, a folder or an array.") }
    if out?.isEmpty == true { throw ValidationError("The value of '--out' is empty; give a file name.") }
    if out == nil, preview == nil { throw ValidationError("Give '--out', or '--preview' to look at the stages.") }
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(1, length, "--length")
    if isArray {
      for (option, isGiven) in [
        ("--preview", preview != nil), ("--truth", truth.truth != nil), ("--frames", crops.frames != nil),
        ("--background", foreground.background != nil),
      ] where isGiven {
        throw ValidationError("'\(option)' is for videos and pictures, and '\(input)' is an array.")
      }
    } else {
      if axes != nil { throw ValidationError("'--axes' is for arrays, and '\(input)' is none.") }
      if let problem = settings.problem { throw ValidationError("These options cannot be: \(problem).") }
      if truth.truth == nil, truth.maxObjects != nil || truth.leaveOutIgnored {
        throw ValidationError("'--max-objects' and '--leave-out-ignored' need '--truth'.")
      }
    }
  }

  private var isArray: Bool { input.lowercased().hasSuffix(".npy") }

  private var settings: VideoSequenceSettings {
    var settings = VideoSequenceSettings()
    settings.sequences = sequences ?? settings.sequences
    settings.length = length ?? settings.length
    settings.seed = seed
    crops.apply(to: &settings)
    foreground.apply(to: &settings)
    truth.apply(to: &settings)
    return settings
  }

  func run() throws {
    guard launchedRank() == 0 else { return }
    let outputs = OutputPaths(reading: [("--in", input), ("--truth", truth.truth), ("--mean-from", meanFrom)])
    var replaced: String?
    if let out {
      if try outputs.check(out, .sequences, option: "--out") {
        guard force else {
          throw StorageError(
            file: out, problem: "the file exists", hint: "Choose another name, or add --force to replace it.")
        }
        replaced = (try? SequenceFile(path: out))?.identity ?? "damaged"
      }
    }
    if let preview { try outputs.check(preview, .picture, option: "--preview") }
    try StopSignals.installForCommand()
    if isArray {
      try writeArray(to: out!)
    } else {
      try writeVideo(to: out)
    }
    guard let out else { return }
    if let replaced { print("replaced \(out), which was \(replaced)") }
    try SequenceSummary(SequenceFile(path: out)).print()
  }

  private func writeVideo(to out: String?) throws {
    let video = try VideoFile(path: input, check: throwIfStopped)
    let lines = StageLines()
    let work = try VideoSequenceFile(
      settings, video: video, truth: truth.truth.map { try MOTChallengeTruth(path: $0) }
    ) { stage, done, total in
      lines.update(stage, done, total)
      try throwIfStopped()
    }
    if let preview { try work.preview().picture.writePNG(to: preview) }
    guard let out else { return lines.finish() }
    let mean = try meanFrame(height: settings.size, width: settings.size)
    let outcome = try work.write(to: out, mean: mean, overwrite: force)
    lines.finish()
    let kinds = outcome.found.indices.map { "\($0): \(outcome.found[$0])" }.joined(separator: ", ")
    print("sequences by components in their first frame: \(kinds)")
    let (found, wanted) = (outcome.found.reduce(0, +), outcome.wanted.reduce(0, +))
    if found < wanted {
      let scarce = outcome.found.indices.filter { outcome.found[$0] < outcome.wanted[$0] }.map(String.init)
      print(
        "\(found) of \(wanted) sequences: there are not enough crops with \(scarce.joined(separator: " or ")) components; "
          + "change --shares, or give more --frames")
    }
  }

  private func writeArray(to out: String) throws {
    let progress = ProgressLine(label: "data", total: nil, unit: "sequences")
    let work = try ArraySequenceFile(path: input, axes: axes, length: length, sequences: sequences)
    let mean = try meanFrame(height: work.height, width: work.width)
    try work.write(to: out, mean: mean, overwrite: force) { done in
      progress.update(UInt64(done))
      try throwIfStopped()
    }
    progress.finish()
  }

  private func throwIfStopped() throws {
    if let signal = StopSignals.requested { throw Interrupted(signal: signal, consequence: "no file was written") }
  }

  /// The mean frame of the training file, if one is named.
  private func meanFrame(height: Int, width: Int) throws -> [Float]? {
    guard let meanFrom else { return nil }
    let file = try SequenceFile(path: meanFrom)
    guard file.height == height, file.width == width else {
      throw StorageError(
        file: meanFrom, part: "/mean",
        problem: "its frames are \(file.height) x \(file.width), those to be made \(height) x \(width)",
        hint: "Make both with the same --size.")
    }
    return file.mean
  }
}

/// A progress line for each stage of the import.
private final class StageLines {
  private var stage: VideoSequenceFile.Stage?
  private var line: ProgressLine?

  func update(_ stage: VideoSequenceFile.Stage, _ done: Int, _ total: Int?) {
    if self.stage != stage {
      finish()
      self.stage = stage
      let (label, unit) =
        switch stage {
        case .background: ("background", "frames")
        case .foreground: ("foreground", "frames")
        case .crops: ("crops", "crops")
        case .sequences: ("sequences", "sequences")
        }
      line = ProgressLine(label: label, total: total.map { UInt64($0) }, unit: unit)
    }
    if done > 0 { line?.update(UInt64(done)) }
  }

  func finish() {
    line?.finish()
    line = nil
  }
}

extension ArrayAxes: ExpressibleByArgument {}
