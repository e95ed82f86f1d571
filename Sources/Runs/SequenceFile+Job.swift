import Cluster
import Report
import Storage

extension SequenceFile {
  /// Makes sure that all processes of a job read the same content, and that the identity is that of the content.
  ///
  /// Rank 0 knows the digests of the sequences or finds them; the others compare with them whatever they read, so that
  /// another copy of the file on one host is an error that names the sequence.
  ///
  /// - Parameter record: where rank 0 remembers what it found.
  /// - Throws: `CollectiveFailure` that names the ranks whose file has another number of sequences.
  package func identify(with communicator: Communicator, rememberedIn record: String) throws {
    try communicator.collectively("reading the data for their identity") {
      guard communicator.isRoot else { return }
      var progress: ProgressLine?
      try identify(rememberedIn: record) { done, total in
        if progress == nil {
          progress = ProgressLine(
            label: "reading all data once, for their identity", total: UInt64(total), unit: "sequences")
        }
        progress?.update(UInt64(done))
        if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
      }
      progress?.finish()
    }
    let digests = try communicator.broadcast(communicator.isRoot ? frameDigests?.bytes ?? [] : [])
    try communicator.collectively("comparing the data with those of rank 0") {
      guard !communicator.isRoot else { return }
      guard let digests = FrameDigests(bytes: digests, sequences: digests.count / FrameDigests.size) else { return }
      try adopt(digests)
    }
  }
}
