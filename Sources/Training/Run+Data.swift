import Cluster
import Report
import Runs
import Storage

/// The data of a run.
extension Run {
  /// The training and validation files; the built-in ones if no training file is named.
  func openData(orElse builtin: BuiltinData) throws -> (training: SequenceSet, validation: SequenceSet?) {
    let train = configuration.data.train ?? DataFiles([builtin.train])
    let valid = configuration.data.valid ?? (configuration.data.train == nil ? DataFiles([builtin.valid]) : nil)
    let longest = configuration.training.longestFrames
    let setting = longest == configuration.training.frames.end ? "training.frames.end" : "training.start.frames"
    return try communicator.collectively("opening the data") {
      let training = try open(train)
      guard training.frameCount >= longest else {
        throw RunError(
          "\(training.path): its sequences have \(training.frameCount) frames, but \(setting) is \(longest). "
            + "Give --frames \(training.frameCount) or less, or create longer sequences.")
      }
      let validation = try valid.map(open)
      if let validation, validation.height != training.height || validation.width != training.width {
        throw RunError(
          "\(validation.path): its frames are \(validation.height)x\(validation.width) pixels, but those of \(training.path) are "
            + "\(training.height)x\(training.width). Validate on frames of the same size.")
      }
      return (training, validation)
    }
  }

  private func open(_ files: DataFiles) throws -> SequenceSet {
    let paths = try FileList(files.patterns, in: folder).paths
    let isLong = communicator.isRoot && paths.count >= 100
    let line = isLong ? ProgressLine(label: "open", total: UInt64(paths.count), unit: "files") : nil
    let set = try SequenceSet(paths: paths, processes: communicator.ranksOnHost) { count in
      watchdog.reportProgress()
      line?.update(UInt64(count))
    }
    line?.finish()
    return set
  }

  /// Records the digests of the training data on rank 0, so that they need not be computed again.
  ///
  /// - Returns: a warning if that fails: a run can do without.
  func recordDigests(of training: SequenceSet) -> [String] {
    guard communicator.isRoot else { return [] }
    do {
      try training.saveDigests(to: folder.dataDigests)
      return []
    } catch {
      return ["warning: the digests of the data could not be recorded, so the next start computes them again: \(error)"]
    }
  }
}
