import Cluster
import Report
import Storage

extension SequenceSet {
  /// Makes sure that all processes of a command measure the same content.
  ///
  /// Files that keep no digests are read once for it, if there are several processes.
  ///
  /// - Throws: `Interrupted` on a process that was asked to stop meanwhile, `RunError` on the others; an error that names
  ///   the rank whose file is another one.
  package func requireAgreement(on name: String, with communicator: Communicator) throws {
    try communicator.requireAgreement(on: "the data", agreementFields(as: name))
    guard communicator.size > 1 else { return }
    guard try identify(with: communicator) != nil else { return }
    try Interrupted.throwIfRequested()
    throw RunError("another rank was asked to stop", isEverywhere: true)
  }

  /// Makes sure that all processes of a job read the same content, and that the identity is that of the content.
  ///
  /// Rank 0 knows the digests of the sequences or finds them, while the others wait and poll for a stop request.
  /// Then all compare with them whatever they read, so that another copy of the file on one host is an error that names
  /// the sequence.
  ///
  /// - Parameter record: where rank 0 finds the digests that were recorded before; nil if nowhere.
  /// - Returns: how to end, if a process was asked to stop meanwhile.
  /// - Throws: `CollectiveFailure` that names the ranks whose files have another number of sequences.
  package func identify(with communicator: Communicator, digestRecord record: String? = nil) throws -> StopReason? {
    var result = Result<Void, any Error>.success(())
    if communicator.isRoot {
      result = Result { try identifyOnRoot(communicator, record) }
      if case .failure(let reason as StopReason) = result { return reason }
      // Done, one way or the other.
      _ = try communicator.maximum(Int64(1))
    } else {
      while try communicator.maximum(Int64(0)) == 0 {
        if let reason = try StopReason.requested(of: communicator) { return reason }
      }
    }
    try communicator.collectively("reading the data for their identity") { try result.get() }
    let digests = try communicator.broadcast(communicator.isRoot ? frameDigests?.bytes ?? [] : [])
    try communicator.collectively("comparing the data with those of rank 0") {
      guard !communicator.isRoot, !digests.isEmpty else { return }
      guard let digests = FrameDigests(bytes: digests, sequences: digests.count / FrameDigests.size) else { return }
      try adopt(digests)
    }
    return nil
  }

  /// Reads all of the file if necessary; about once a second it reports progress and may be stopped.
  private func identifyOnRoot(_ communicator: Communicator, _ record: String?) throws {
    var progress: ProgressLine?
    var next = ContinuousClock.now + .seconds(1)
    try identify(digestRecord: record) { done, total in
      guard ContinuousClock.now >= next else { return }
      next = ContinuousClock.now + .seconds(1)
      if progress == nil {
        progress = ProgressLine(
          label: "reading the data once, for their identity", total: UInt64(total), unit: "sequences")
      }
      progress?.update(UInt64(done))
      _ = try communicator.maximum(Int64(0))
      try StopReason.throwIfRequested(of: communicator)
    }
    progress?.finish()
  }
}
