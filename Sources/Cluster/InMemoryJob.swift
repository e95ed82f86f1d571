import Foundation

/// What the ranks of an in-memory job share.
final class InMemoryJob: @unchecked Sendable {
  /// What a rank asks for, with the memory that belongs to it.
  enum Call {
    case barrier
    case reduce(UnsafeMutableRawPointer, Int, ReducibleElement, ReductionOperation)
    case broadcast(UnsafeMutableRawBufferPointer)
    case allGatherNumbers(Int64, UnsafeMutableBufferPointer<Int64>)
    case gather(UnsafeRawBufferPointer, [Int64], UnsafeMutableRawBufferPointer)
    case allToAll(UnsafeMutablePointer<Float>?, RankParts, UnsafeMutablePointer<Float>?, RankParts)
    case allGatherFloats(UnsafeMutablePointer<Float>?, RankParts)
  }

  let size: Int
  /// The ranks of each host, which are equal in number up to the last.
  let hosts: [Range<Int>]
  /// How many blocks of memory the ranks of a host may share, one after another.
  let mostSharedBlocks: Int
  /// For each host a job of its ranks.
  private let jobsOfHosts: [InMemoryJob]
  /// Blocks that they have shared.
  var sharedBlocks = 0
  /// Of the memory that the ranks of a host are about to share.
  var descriptor: Int32 = -1
  // Protects everything below.
  private let condition = NSCondition()
  private var calls: [Call?]
  private var arrivedCount = 0
  /// Counts operations: a rank waits until it changes.
  private var round = 0
  /// Of the operation before: why it failed.
  private var failure: TransportFailure?
  /// Ranks whose threads have ended, with what to say about it.
  private var departed: [Int: String] = [:]
  /// The latest heartbeat for each rank that it has not yet received.
  private var heartbeats: [[UInt8]?]

  /// - Parameter ranksPerHost: nil takes all for ranks of one host.
  init(size: Int, ranksPerHost: Int? = nil, mostSharedBlocks: Int = .max) {
    self.size = size
    self.mostSharedBlocks = mostSharedBlocks
    hosts = stride(from: 0, to: size, by: ranksPerHost ?? size).map { $0..<min($0 + (ranksPerHost ?? size), size) }
    jobsOfHosts = hosts.map { InMemoryJob(ranksOfHost: $0.count) }
    calls = Array(repeating: nil, count: size)
    heartbeats = Array(repeating: nil, count: size)
  }

  /// The ranks of one host.
  private init(ranksOfHost size: Int) {
    self.size = size
    hosts = []
    mostSharedBlocks = 0
    jobsOfHosts = []
    calls = Array(repeating: nil, count: size)
    heartbeats = []
  }

  /// Does something with the job of a rank's host and its rank there.
  func onHost<Result>(of rank: Int, _ body: (InMemoryJob, Int) throws -> Result) rethrows -> Result {
    let host = hosts.firstIndex { $0.contains(rank) }!
    return try body(jobsOfHosts[host], rank - hosts[host].lowerBound)
  }

  /// Brings a call and waits until all ranks have brought theirs.
  func meet(_ rank: Int, _ call: Call) throws {
    condition.lock()
    defer { condition.unlock() }
    if let reason = departureReason { throw TransportFailure(reason: reason) }
    calls[rank] = call
    arrivedCount += 1
    if arrivedCount == size {
      do {
        try perform()
        failure = nil
      } catch {
        failure = error
      }
      endRound()
    } else {
      let own = round
      while round == own { condition.wait() }
    }
    if let failure { throw failure }
  }

  /// Says that a rank's thread has ended; whoever waits for it fails.
  func depart(_ rank: Int, because reason: String) {
    // Those on its host may wait for it alone.
    if !jobsOfHosts.isEmpty { onHost(of: rank) { host, rankOnHost in host.depart(rankOnHost, because: reason) } }
    condition.lock()
    defer { condition.unlock() }
    departed[rank] = reason
    guard arrivedCount > 0 else { return }
    failure = departureReason.map { TransportFailure(reason: $0) }
    endRound()
  }

  func exchangeHeartbeats(
    _ rank: Int, _ bytes: [UInt8]?, into received: inout [UInt8]
  ) -> (isSent: Bool, isReceived: Bool) {
    condition.lock()
    defer { condition.unlock() }
    if let bytes { heartbeats[(rank + 1) % size] = bytes }
    guard let latest = heartbeats[rank] else { return (bytes != nil, false) }
    received = latest
    heartbeats[rank] = nil
    return (bytes != nil, true)
  }

  private var departureReason: String? {
    departed.min { $0.key < $1.key }.map { "rank \($0.key) has left: \($0.value)" }
  }

  private func endRound() {
    for rank in calls.indices { calls[rank] = nil }
    arrivedCount = 0
    round += 1
    condition.broadcast()
  }

  // MARK: Operations, by the rank that comes last

  private func perform() throws(TransportFailure) {
    switch calls[0]! {
    case .barrier:
      for call in calls { guard case .barrier = call else { throw mismatch() } }
    case .reduce(let target, let count, let element, let operation):
      var sources: [UnsafeMutableRawPointer] = []
      for call in calls {
        guard case .reduce(let values, count, element, operation) = call else { throw mismatch() }
        sources.append(values)
      }
      switch element {
      case .float: Self.reduce(sources, target, count, operation, Float.self)
      case .double: Self.reduce(sources, target, count, operation, Double.self)
      case .int64: Self.reduce(sources, target, count, operation, Int64.self)
      }
    case .broadcast(let source):
      for call in calls {
        guard case .broadcast(let target) = call, target.count == source.count else { throw mismatch() }
        if target.baseAddress != source.baseAddress { target.copyMemory(from: UnsafeRawBufferPointer(source)) }
      }
    case .allGatherNumbers: try allGatherNumbers()
    case .gather: try gather()
    case .allToAll: try allToAll()
    case .allGatherFloats: try allGatherFloats()
    }
  }

  private static func reduce<Number: Reducible & Comparable & Numeric>(
    _ sources: [UnsafeMutableRawPointer], _ target: UnsafeMutableRawPointer, _ count: Int,
    _ operation: ReductionOperation, _: Number.Type
  ) {
    let vectors = sources.map { $0.assumingMemoryBound(to: Number.self) }
    let result = target.assumingMemoryBound(to: Number.self)
    for index in 0..<count {
      var value = vectors[0][index]
      for vector in vectors.dropFirst() {
        switch operation {
        case .sum: value += vector[index]
        case .maximum: value = max(value, vector[index])
        case .minimum: value = min(value, vector[index])
        }
      }
      result[index] = value
    }
    for vector in vectors where vector != result { vector.update(from: result, count: count) }
  }

  private func allGatherNumbers() throws(TransportFailure) {
    var numbers: [Int64] = []
    var targets: [UnsafeMutableBufferPointer<Int64>] = []
    for call in calls {
      guard case .allGatherNumbers(let number, let all) = call, all.count == size else { throw mismatch() }
      numbers.append(number)
      targets.append(all)
    }
    for target in targets { for (rank, number) in numbers.enumerated() { target[rank] = number } }
  }

  private func gather() throws(TransportFailure) {
    guard case .gather(_, let counts, let all) = calls[0]! else { throw mismatch() }
    var start = 0
    for (rank, call) in calls.enumerated() {
      guard case .gather(let bytes, counts, _) = call, bytes.count == counts[rank], start + bytes.count <= all.count
      else { throw mismatch() }
      UnsafeMutableRawBufferPointer(rebasing: all[start..<start + bytes.count]).copyMemory(from: bytes)
      start += bytes.count
    }
  }

  private func allToAll() throws(TransportFailure) {
    var sends: [(values: UnsafeMutablePointer<Float>?, parts: RankParts)] = []
    var receives: [(values: UnsafeMutablePointer<Float>?, parts: RankParts)] = []
    for call in calls {
      guard case .allToAll(let values, let sending, let received, let receiving) = call else { throw mismatch() }
      sends.append((values, sending))
      receives.append((received, receiving))
    }
    for sender in 0..<size {
      for receiver in 0..<size {
        let from = sends[sender].parts.ranges[receiver], to = receives[receiver].parts.ranges[sender]
        guard from.count == to.count else { throw mismatch() }
        guard !from.isEmpty, let source = sends[sender].values, let target = receives[receiver].values else { continue }
        (target + to.lowerBound).update(from: source + from.lowerBound, count: from.count)
      }
    }
  }

  private func allGatherFloats() throws(TransportFailure) {
    guard case .allGatherFloats(_, let parts) = calls[0]! else { throw mismatch() }
    var vectors: [UnsafeMutablePointer<Float>?] = []
    for call in calls {
      guard case .allGatherFloats(let values, parts) = call else { throw mismatch() }
      vectors.append(values)
    }
    for (owner, part) in parts.ranges.enumerated() where !part.isEmpty {
      guard let source = vectors[owner] else { continue }
      for case let target? in vectors where target != source {
        (target + part.lowerBound).update(from: source + part.lowerBound, count: part.count)
      }
    }
  }

  private func mismatch() -> TransportFailure {
    let texts = calls.enumerated().map { "rank \($0.offset) \($0.element.map(Self.text) ?? "does nothing")" }
    return TransportFailure(reason: "the ranks make different calls: \(texts.joined(separator: ", "))")
  }

  private static func text(_ call: Call) -> String {
    switch call {
    case .barrier: "waits at a barrier"
    case .reduce(_, let count, let element, let operation): "reduces \(count) values (\(element), \(operation))"
    case .broadcast(let bytes): "broadcasts \(bytes.count) bytes"
    case .allGatherNumbers: "gathers one number from all"
    case .gather(let bytes, let counts, _): "gathers texts of \(counts) bytes, its own of \(bytes.count)"
    case .allToAll(_, let sending, _, let receiving): "sends \(sending.counts) and receives \(receiving.counts) values"
    case .allGatherFloats(_, let parts): "gathers parts of \(parts.counts) values"
    }
  }
}
