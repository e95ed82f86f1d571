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
      uint8 in a file *.npy. ffmpeg runs as a separate program; scripts/install --video installs it.

      The background of videos and pictures is removed: frames are scaled to the view, and what differs from the median \
      over time becomes bright on black. Crops are chosen at random places and times, without labels, by the number of \
      connected components in their first frame. --preview draws each stage; use it to set the numbers.

      Arrays are used as they are: [N, T, H, W], [T, N, H, W] as test sets of moving MNIST are published, or one video \
      [T, H, W]. The shorter of the first two axes is taken as time if the frames support it, and --axes has to say \
      which it is otherwise.

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
    help: ArgumentHelp(
      "Draw the stages of three frames to this picture; --out is optional then.", valueName: "file.png"),
    completion: .file(extensions: ["png"]))
  var preview: String?

  @Option(help: ArgumentHelp("Number of sequences. (default: 10000; for an array, all)", valueName: "number"))
  var sequences: Int?

  @Option(help: ArgumentHelp("Frames of each sequence. (default: 5; for an array, all)", valueName: "number"))
  var length: Int?

  @OptionGroup(title: "Choice of crops")
  var crops: CropOptions

  @OptionGroup(title: "Foreground")
  var foreground: ForegroundOptions

  @OptionGroup(title: "Ground truth")
  var truth: TruthOptions

  @Option(help: "For an array: which of the first two axes is time, NTHW or TNHW.")
  var axes: ArrayAxes?

  @OptionGroup var file: SequenceFileOptions

  func validate() throws {
    if out == nil, preview == nil { throw ValidationError("Give '--out', or '--preview' to look at the stages.") }
    if let preview, !preview.lowercased().hasSuffix(".png") {
      throw ValidationError("'--preview \(preview)': the picture is a PNG; give a name that ends with .png.")
    }
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(1, length, "--length")
    if isArray {
      for (option, isGiven) in [
        ("--preview", preview != nil), ("--truth", truth.truth != nil), ("--frames", crops.frames != nil),
        ("--background", foreground.background != nil),
      ] where isGiven {
        throw ValidationError("'\(option)' is for videos and pictures, and '\(input)' is an array.")
      }
      var unchanged = VideoSequenceSettings()
      (unchanged.sequences, unchanged.length, unchanged.seed) = (settings.sequences, settings.length, settings.seed)
      guard settings == unchanged else {
        throw ValidationError(
          "The options of crops, foreground and ground truth are for videos and pictures, and '\(input)' is an array, "
            + "whose frames are taken as they are. Leave them out.")
      }
    } else {
      if axes != nil { throw ValidationError("'--axes' is for arrays, and '\(input)' is not one.") }
      if let problem = settings.problem { throw ValidationError("These options are not possible: \(problem).") }
      if truth.truth == nil, truth.maxObjects != nil || truth.leaveOutIgnored {
        throw ValidationError("'--max-objects' and '--leave-out-ignored' need '--truth'.")
      }
    }
  }

  /// Archives of arrays are refused by what reads arrays, which knows the remedy.
  private var isArray: Bool { [".npy", ".npz"].contains { input.lowercased().hasSuffix($0) } }

  private var settings: VideoSequenceSettings {
    var settings = VideoSequenceSettings()
    settings.sequences = sequences ?? settings.sequences
    settings.length = length ?? settings.length
    settings.seed = file.seed
    crops.apply(to: &settings)
    foreground.apply(to: &settings)
    truth.apply(to: &settings)
    return settings
  }

  func run() throws {
    guard isWorker("data video") else { return }
    let outputs = OutputPaths(reading: [("--in", input), ("--truth", truth.truth), ("--mean-from", file.meanFrom)])
    let output = try out.map { try SequenceFileOutput($0, outputs, file) }
    if let preview { try outputs.check(preview, .picture, option: "--preview") }
    try StopSignals.installForCommand()
    if isArray {
      try writeArray(to: out!)
    } else {
      try writeVideo(to: out)
    }
    try output?.report()
  }

  private func writeVideo(to out: String?) throws {
    let video = try VideoFile(path: input, check: SequenceFileOutput.throwIfStopped)
    let lines = StageLines()
    let boxes = try truth.truth.map { try MOTChallengeTruth(path: $0) }
    let used = settings.frames.map { $0.first - 1..<$0.last } ?? video.statedFrameCount.map { 0..<$0 }
    let strange = boxes?.warning(of: used, height: video.height, width: video.width)
    for warning in video.warnings + [strange].compactMap({ $0 }) {
      try? FileHandle.standardError.write(contentsOf: Data("warning: \(warning.printableLines)\n".utf8))
    }
    let work = try VideoSequenceFile(settings, video: video, truth: boxes) { stage, done, total in
      lines.update(stage, done, total)
      try SequenceFileOutput.throwIfStopped()
    }
    if let preview { try work.preview().picture.writePNG(to: preview) }
    guard let out else { return lines.finish() }
    let mean = try file.meanFrame(height: settings.size, width: settings.size, sizeOption: "--size")
    let outcome = try work.write(to: out, mean: mean, overwrite: file.force)
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
    for warning in try work.review() {
      try? FileHandle.standardError.write(contentsOf: Data("warning: \(input): \(warning)\n".utf8))
    }
    let mean = try file.meanFrame(height: work.height, width: work.width, sizeOption: "--size")
    try work.write(to: out, mean: mean, overwrite: file.force) { done in
      progress.update(UInt64(done))
      try SequenceFileOutput.throwIfStopped()
    }
    progress.finish()
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
