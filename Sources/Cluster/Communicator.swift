import Synchronization

/// All ranks of the job and their collective operations: one value for each rank, from `start()` to `finish()`.
///
/// Every method that communicates must be called by all ranks, in the same order and with buffers of the same length; a
/// rank that does not come leaves the others waiting. A process that was started without a launcher is a job of one
/// rank, for which everything here works as well.
///
/// Calls may come from any one thread at a time; from several at once only where `threadLevel` is `.multiple`.
public final class Communicator: Sendable {
  /// How many threads may call MPI, as the library granted it.
  public enum ThreadLevel: Int32, Sendable, Comparable {
    case single, funneled, serialized, multiple
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// Index of this rank, from 0.
  public let rank: Int
  /// Number of ranks in the job.
  public let size: Int
  /// The host's name as MPI knows it.
  public let hostName: String
  /// Index of this rank among those on the same host, from 0.
  public let rankOnHost: Int
  /// Number of the job's ranks on this host.
  public let ranksOnHost: Int
  /// The ranks of each host; nil if those of some host are not consecutive.
  public let hosts: [Range<Int>]?
  /// The processors that this rank may run on; nil if unknown.
  public let processors: Processors?
  /// How many threads may call MPI.
  public let threadLevel: ThreadLevel
  /// How this process was started.
  public let launch: Launch

  let transport: any Transport

  /// Incremented at the start and at the end of each call that may wait for other ranks: odd inside one.
  let calls = Atomic<Int>(0)

  /// True on rank 0, which writes and prints for all.
  public var isRoot: Bool { rank == 0 }

  /// A rank that `transport` connects with the others.
  init(
    rank: Int, size: Int, hostName: String, rankOnHost: Int, ranksOnHost: Int, hosts: [Range<Int>]?,
    processors: Processors?, threadLevel: ThreadLevel, launch: Launch, transport: any Transport
  ) {
    self.rank = rank
    self.size = size
    self.hostName = hostName
    self.rankOnHost = rankOnHost
    self.ranksOnHost = ranksOnHost
    self.hosts = hosts
    self.processors = processors
    self.threadLevel = threadLevel
    self.launch = launch
    self.transport = transport
  }

  /// The ranks of each host.
  ///
  /// - Parameter firsts: for each rank the first rank of its host.
  /// - Returns: nil if the ranks of some host are not consecutive.
  package static func hosts(firsts: [Int]) -> [Range<Int>]? {
    var hosts: [Range<Int>] = []
    for (rank, first) in firsts.enumerated() {
      if first == rank {
        hosts.append(rank..<rank + 1)
      } else if first == hosts.last?.lowerBound {
        hosts[hosts.count - 1] = first..<rank + 1
      } else {
        return nil
      }
    }
    return hosts
  }

  // MARK: Numbers

  /// Replaces every value by its sum over the ranks.
  ///
  /// All ranks receive the same result. The order of the additions is MPI's, so another number of ranks may round
  /// differently.
  public func sum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, .sum)
  }

  /// Replaces every value by its sum over the ranks.
  public func sum<Number: Reducible>(_ values: inout [Number]) throws {
    try values.withUnsafeMutableBufferPointer { try sum($0) }
  }

  /// The sum of one number over the ranks.
  public func sum<Number: Reducible>(_ value: Number) throws -> Number { try reduced(value, .sum) }

  /// Replaces every value by the largest over the ranks.
  public func maximum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, .maximum)
  }

  /// The largest of one number over the ranks.
  public func maximum<Number: Reducible>(_ value: Number) throws -> Number { try reduced(value, .maximum) }

  /// Replaces every value by the smallest over the ranks.
  public func minimum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, .minimum)
  }

  /// The smallest of one number over the ranks.
  public func minimum<Number: Reducible>(_ value: Number) throws -> Number { try reduced(value, .minimum) }

  private func reduced<Number: Reducible>(_ value: Number, _ operation: ReductionOperation) throws -> Number {
    var result = value
    try withUnsafeMutablePointer(to: &result) {
      try reduce(UnsafeMutableBufferPointer(start: $0, count: 1), operation)
    }
    return result
  }

  private func reduce<Number: Reducible>(
    _ values: UnsafeMutableBufferPointer<Number>, _ operation: ReductionOperation
  ) throws {
    guard let start = values.baseAddress else { return }
    func name() -> String {
      let verb =
        switch operation {
        case .sum: "summing"
        case .maximum: "taking the maximum of"
        case .minimum: "taking the minimum of"
        }
      return "\(verb) \(values.count) values of \(Number.self) over \(size) ranks"
    }
    try perform(name()) {
      try transport.reduce(start, count: values.count, element: Number.element, operation: operation)
    }
  }

  // MARK: Bytes and texts

  /// Copies rank 0's bytes to every rank. All ranks pass buffers of the same length.
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws {
    guard !bytes.isEmpty else { return }
    try perform("broadcasting \(bytes.count) bytes from rank 0") { try transport.broadcast(bytes) }
  }

  /// Rank 0's bytes on every rank; what the others pass is ignored.
  public func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
    var result = bytes
    let operation = "broadcasting bytes from rank 0"
    let count = try checked(try maximum(isRoot ? Int64(bytes.count) : 0), operation)
    if !isRoot { result = [UInt8](repeating: 0, count: count) }
    try result.withUnsafeMutableBytes { try broadcast($0) }
    return result
  }

  /// Rank 0's text on every rank; what the others pass is ignored.
  public func broadcast(_ text: String) throws -> String {
    String(decoding: try broadcast(Array(text.utf8)), as: UTF8.self)
  }

  /// The texts of all ranks in rank order, on rank 0; an empty array on the others.
  public func gather(_ text: String) throws -> [String] {
    let own = Array(text.utf8)
    var counts = [Int64](repeating: 0, count: size)
    try perform("collecting the lengths of \(size) texts") {
      try counts.withUnsafeMutableBufferPointer { try transport.allGather(Int64(own.count), into: $0) }
    }
    let operation = "collecting the texts of \(size) ranks on rank 0"
    var total = 0
    for count in counts { total = try checked(Int64(total) + Int64(checked(count, operation)), operation) }
    var all = [UInt8](repeating: 0, count: isRoot ? total : 0)
    try perform(operation) {
      try own.withUnsafeBytes { own in
        try all.withUnsafeMutableBytes { try transport.gather(own, counts: counts, into: $0) }
      }
    }
    guard isRoot else { return [] }
    var start = 0
    return counts.map { count in
      defer { start += Int(count) }
      return String(decoding: all[start..<start + Int(count)], as: UTF8.self)
    }
  }

  /// Waits until every rank has come.
  public func barrier() throws { try perform("waiting for all \(size) ranks") { try transport.barrier() } }

  // MARK: Parts of vectors

  /// Sends each rank its part of `values` and receives one from each.
  ///
  /// A pair of ranks must agree: what one sends to the other is as long as what the other expects; empty parts are no
  /// messages. A rank's part for itself is copied like any other, so leave it empty where it can be used in place.
  ///
  /// - Parameters:
  ///   - sending: for each rank its part of `values`.
  ///   - receiving: for each rank the part of `received` that its floats go to; these do not overlap.
  public func allToAll(
    _ values: UnsafeMutableBufferPointer<Float>, sending: RankParts, into received: UnsafeMutableBufferPointer<Float>,
    receiving: RankParts
  ) throws {
    guard size > 1 else { return }
    try perform("exchanging parts of \(values.count) values of Float among \(size) ranks") {
      try transport.allToAll(
        values.baseAddress, sending: sending, into: received.baseAddress, receiving: receiving)
    }
  }

  /// Completes a vector of which each rank holds its own part: afterwards all ranks hold all parts.
  public func allGather(_ values: UnsafeMutableBufferPointer<Float>, parts: RankParts) throws {
    guard size > 1 else { return }
    try perform("collecting the parts of \(values.count) values of Float from \(size) ranks") {
      try transport.allGather(values.baseAddress, parts: parts)
    }
  }

  // MARK: The end

  /// Leaves MPI. Every rank calls this when all of them are done; later calls do nothing.
  public func finish() throws { try perform("leaving MPI") { try transport.finish() } }

  /// Ends every process of the job at once with `code`, for an error that only this rank knows about.
  public func abort(code: Int32) -> Never { transport.abort(code: code) }

  /// Runs an operation of the transport, inside which this rank counts as waiting for others.
  func perform(_ operation: @autoclosure () -> String, _ body: () throws -> Void) throws {
    calls.wrappingAdd(1, ordering: .relaxed)
    let result = Result { try body() }
    calls.wrappingAdd(1, ordering: .relaxed)
    guard case .failure(let error) = result else { return }
    throw failure(operation(), (error as? TransportFailure)?.reason ?? "\(error)")
  }

  /// The same for one with a result.
  func performing<Value>(_ operation: @autoclosure () -> String, _ body: () throws -> Value) throws -> Value {
    var value: Value?
    try perform(operation()) { value = try body() }
    return value!
  }

  private func failure(_ operation: String, _ reason: String) -> ClusterError {
    ClusterError(
      rank: rank, host: hostName, operation: operation, reason: reason,
      advice: "Look for a rank that ended before this one, then start the run again: it resumes from its checkpoint.")
  }

  /// A number of bytes that came from other ranks: memory is only allocated for one that can be true.
  private func checked(_ count: Int64, _ operation: String) throws -> Int {
    guard (0...Int64(Int32.max)).contains(count) else {
      throw failure(operation, "the ranks announce \(count) bytes, which is not a possible length of a text")
    }
    return Int(count)
  }
}
