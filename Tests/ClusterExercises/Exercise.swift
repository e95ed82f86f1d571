import Cluster

/// What ranks do together in tests of the communicator: the same table runs over MPI (`cluster-probe`) and in the
/// memory of one process.
public enum Exercise: String, CaseIterable, Sendable {
  case numbers, emptyVectors, parts, allParts, texts, largeVector, barrier, heartbeats, hostMemory
  case failureOnOneRank, failureOnAllRanks, differentFailures, noFailure

  /// Runs this rank's part.
  ///
  /// - Returns: one line that says what the rank has received.
  public func run(on communicator: Communicator) throws -> String {
    let (rank, size) = (communicator.rank, communicator.size)
    switch self {
    case .numbers:
      var floats = (0..<5).map { Float($0 + rank) }
      try communicator.sum(&floats)
      var integers = [Int64(rank), rank == 0 ? Int64.max - Int64(size) : 0]
      try communicator.sum(&integers)
      let double = try communicator.sum(0.5 + Double(rank))
      var extremes: [Double] = [Double(rank), -Double(rank) - 1]
      try extremes.withUnsafeMutableBufferPointer { try communicator.maximum($0) }
      return "\(floats) \(integers) \(double) \(extremes) \(try communicator.minimum(Float(rank + 3)))"

    case .emptyVectors:
      var none: [Float] = []
      try communicator.sum(&none)
      let bytes = try communicator.broadcast([UInt8]())
      return "\(none.count) \(bytes.count) [\(try communicator.broadcast(rank == 0 ? "" : "ignored"))]"

    case .parts:
      // Element i of rank r's vector is 100 r + i. Odd ranks send nothing, and nobody sends to itself.
      let parts = (0..<size).map { BlockPartition.range(of: 10, rank: $0, size: size) }
      var values = (0..<10).map { Float(100 * rank + $0) }
      func isSent(from sender: Int, to receiver: Int) -> Bool { sender != receiver && sender % 2 == 0 }
      let sending = (0..<size).map { isSent(from: rank, to: $0) ? parts[$0] : 0..<0 }
      let receiving = (0..<size).map { isSent(from: $0, to: rank) ? $0 * 10..<$0 * 10 + parts[rank].count : 0..<0 }
      var received = [Float](repeating: -1, count: 10 * size)
      try values.withUnsafeMutableBufferPointer { values in
        try received.withUnsafeMutableBufferPointer {
          try communicator.allToAll(values, sending: RankParts(sending), into: $0, receiving: RankParts(receiving))
        }
      }
      return "\(received.filter { $0 >= 0 }.map { Int($0) })"

    case .allParts:
      let parts = (0..<size).map { BlockPartition.range(of: 10, rank: $0, size: size) }
      var values = (0..<10).map { Float(100 * rank + $0) }
      try values.withUnsafeMutableBufferPointer { try communicator.allGather($0, parts: RankParts(parts)) }
      return "\(values.map { Int($0) })"

    case .texts:
      // Lengths differ, one of them is zero, and the characters are longer than a byte.
      let texts = try communicator.gather(String(repeating: "é", count: rank) + (rank == 0 ? "" : "\(rank)"))
      let text = try communicator.broadcast(rank == 0 ? "grüße, \(size)" : "ignored, and longer than the other text")
      let bytes = try communicator.broadcast(rank == 0 ? [1, 2, 255] : [])
      return "\(texts) \(text) \(bytes)"

    case .largeVector:
      // More elements than a pipe or a socket takes at once.
      var values = [Float](repeating: Float(rank + 1), count: 2_000_000)
      try communicator.sum(&values)
      let expected = Float(size * (size + 1) / 2)
      return "wrong: \(values.filter { $0 != expected }.count)"

    case .barrier:
      for _ in 0..<3 { try communicator.barrier() }
      return "passed"

    case .hostMemory:
      guard let memory = try HostMemory.allocate(bytes: 100_000, communicator) else { return "not allowed" }
      let isZero = memory.bytes.allSatisfy { $0 == 0 }
      try memory.synchronize()
      for index in memory.part(of: 100_000) { memory.bytes[index] = UInt8(1 + rank) }
      try memory.synchronize()
      let owners = (0..<size).map { rank in memory.bytes.count { $0 == UInt8(1 + rank) } }
      var numbers: [Float] = []
      var number = memory.nextNumber()
      while number < 1000 {
        numbers.append(Float(number))
        number = memory.nextNumber()
      }
      try memory.synchronize()
      if communicator.rankOnHost == 0 { memory.restartCounter() }
      try memory.synchronize()
      let isFirst = memory.nextNumber() < size
      let (count, sum) = (
        try communicator.sum(Int64(numbers.count)), try communicator.sum(Double(numbers.reduce(0, +)))
      )
      try memory.release()
      return "\(isZero) \(owners.reduce(0, +)) \(owners.allSatisfy { $0 >= 100_000 / size }) \(count) \(sum) \(isFirst)"

    case .heartbeats:
      let own = Heartbeat(rank: rank, host: communicator.hostName, processIdentifier: 1, step: rank + 1)
      let first = try communicator.openHeartbeats(own)
      var later: Heartbeat?
      var isSent = false
      while size > 1, later == nil || !isSent {
        let exchange = communicator.exchangeHeartbeats(
          isSent ? nil : Heartbeat(rank: rank, host: "", processIdentifier: 1, step: 10 * (rank + 1)))
        isSent = isSent || exchange.isSent
        later = exchange.received ?? later
      }
      // No rank leaves while another still waits for its heartbeat.
      try communicator.barrier()
      return "\(first?.step ?? 0) \(later?.step ?? 0)"

    case .failureOnOneRank:
      return try outcome(of: communicator) { if rank == size - 1 { throw Failure(text: "\"train\".h5 is not there") } }
    case .failureOnAllRanks:
      return try outcome(of: communicator) { throw Failure(text: "\"train\".h5 is not there") }
    case .differentFailures:
      return try outcome(of: communicator) { if rank > 0 { throw Failure(text: rank % 2 == 0 ? "even" : "odd") } }
    case .noFailure:
      return try outcome(of: communicator) {}
    }
  }

  /// What each rank must have received, in rank order.
  ///
  /// - Parameter host: the name of the host on which all ranks run.
  public func expected(size: Int, host: String) -> [String] {
    let ranks = 0..<size
    let parts = ranks.map { BlockPartition.range(of: 10, rank: $0, size: size) }
    func all(_ text: String) -> [String] { ranks.map { _ in text } }
    switch self {
    case .numbers:
      let sum = size * (size - 1) / 2
      let floats = (0..<5).map { Float($0 * size + sum) }
      return all(
        "\(floats) \([Int64(sum), Int64.max - Int64(size)]) \(0.5 * Double(size) + Double(sum)) "
          + "\([Double(size - 1), -1.0]) 3.0")
    case .emptyVectors: return all("0 0 []")
    case .parts:
      return ranks.map { rank in
        let senders = stride(from: 0, to: size, by: 2).filter { $0 != rank }
        return "\(senders.flatMap { sender in parts[rank].indices.map { 100 * sender + $0 } })"
      }
    case .allParts: return all("\(ranks.flatMap { rank in parts[rank].map { 100 * rank + $0 } })")
    case .texts:
      let texts = ranks.map { String(repeating: "é", count: $0) + ($0 == 0 ? "" : "\($0)") }
      return ranks.map { "\($0 == 0 ? texts : []) grüße, \(size) [1, 2, 255]" }
    case .largeVector: return all("wrong: 0")
    case .barrier: return all("passed")
    case .hostMemory:
      return all("true 100000 true 1000 499500.0 true")

    case .heartbeats:
      return ranks.map { rank in
        let previous = (rank + size - 1) % size
        return size == 1 ? "0 0" : "\(previous + 1) \(10 * (previous + 1))"
      }
    case .failureOnOneRank:
      let origin = size == 1 ? "" : "on rank \(size - 1) (\(host)) of \(size): "
      return all("opening the data failed: \(origin)\"train\".h5 is not there")
    case .failureOnAllRanks:
      return all("opening the data failed: \(size == 1 ? "" : "on all \(size) ranks: ")\"train\".h5 is not there")
    case .differentFailures:
      func named(_ ranks: [Int], _ text: String) -> String? {
        ranks.isEmpty ? nil : "on rank \(ranks.map { "\($0) (\(host))" }.joined(separator: ", ")) of \(size): \(text)"
      }
      let lines = [
        named(ranks.filter { $0 % 2 == 1 }, "odd"), named(ranks.filter { $0 > 0 && $0 % 2 == 0 }, "even"),
      ].compactMap { $0 }
      guard lines.count != 1 else { return all("opening the data failed: \(lines[0])") }
      return all(
        lines.isEmpty ? "done" : "opening the data failed:\n" + lines.map { "  \($0)" }.joined(separator: "\n"))
    case .noFailure: return all("done")
    }
  }

  private func outcome(of communicator: Communicator, _ body: () throws -> Void) throws -> String {
    do {
      try communicator.collectively("opening the data", body)
      return "done"
    } catch let failure as CollectiveFailure {
      return "\(failure)"
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
  }
}
