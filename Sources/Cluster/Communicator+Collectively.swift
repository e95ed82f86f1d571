import Foundation

extension Communicator {
  /// Runs `body` on every rank; when it fails on any of them, it fails on all of them with the same error.
  ///
  /// For the work before the main loop: reading a configuration, opening the data. A file that one node alone cannot
  /// open then ends the job with one message and without a rank that waits forever:
  ///
  /// ```swift
  /// let data = try communicator.collectively("opening the training data") { try SequenceFile(path) }
  /// ```
  ///
  /// - Parameters:
  ///   - what: the work as a noun phrase, the same on all ranks.
  ///   - body: work of this rank alone. It must not communicate with other ranks, which may have failed already.
  /// - Throws: `CollectiveFailure`, equal on all ranks, or `ClusterError` when MPI itself fails.
  public func collectively<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
    let result = Result { try body() }
    var text: String?
    if case .failure(let error) = result { text = "\(error)" }

    guard try maximum(Int64(text == nil ? 0 : 1)) == 1 else { return try result.get() }
    throw CollectiveFailure(what: what, size: size, failures: try collect(text))
  }

  /// The message of each rank that failed, on every rank.
  private func collect(_ text: String?) throws -> [(rank: Int, host: String, text: String)] {
    struct Failure: Codable {
      var rank: Int
      var host: String
      var text: String
    }
    let own = try text.map { try JSONEncoder().encode(Failure(rank: rank, host: hostName, text: $0)) }
    let reports = try gather(own.map { String(decoding: $0, as: UTF8.self) } ?? "")
    let joined = try broadcast("[" + reports.filter { !$0.isEmpty }.joined(separator: ",") + "]")
    return try JSONDecoder().decode([Failure].self, from: Data(joined.utf8)).map { ($0.rank, $0.host, $0.text) }
  }
}
