import Cluster
import Report
import Storage

extension SequenceSet {
  /// Makes sure that all processes of a job read the same content, and that the identity is that of the content.
  ///
  /// Rank 0 knows the digests of the sequences or finds them, while the others wait and look out for a wish to stop. Then
  /// all compare with them whatever they read, so that another copy of the file on one host is an error that names the
  /// sequence.
  ///
  /// - Parameter record: where rank 0 remembers what it found.
  /// - Returns: how to end, if a process was asked to stop meanwhile.
  /// - Throws: `CollectiveFailure` that names the ranks whose files have another number of sequences.
  package func identify(with communicator: Communicator, rememberedIn record: String) throws -> StopReason? {
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

  /// Reads all of the file if need be; about once a second the job is seen to be alive and may be stopped.
  private func identifyOnRoot(_ communicator: Communicator, _ record: String) throws {
    var progress: ProgressLine?
    var next = ContinuousClock.now + .seconds(1)
    try identify(rememberedIn: record) { done, total in
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
