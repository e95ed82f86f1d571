internal import CMPI
import Foundation
import Synchronization

/// A number that ranks can add and compare.
public protocol Reducible: Sendable {
  /// The type's name between ranks.
  static var element: ReducibleElement { get }
}

/// The number types that travel between ranks.
public enum ReducibleElement: Sendable { case float, double, int64 }

extension Float: Reducible { public static var element: ReducibleElement { .float } }
extension Double: Reducible { public static var element: ReducibleElement { .double } }
extension Int64: Reducible { public static var element: ReducibleElement { .int64 } }

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
  /// How many threads may call MPI.
  public let threadLevel: ThreadLevel
  /// How this process was started.
  public let launch: Launch

  let transport: any Transport

  /// Incremented at the start and at the end of each call that may wait for other ranks: odd inside one.
  let calls = Atomic<Int>(0)

  /// True on rank 0, which writes and prints for all.
  public var isRoot: Bool { rank == 0 }

  /// The first line of the MPI library's own version text.
  public static var libraryVersion: String {
    let whole = MPITransport.text { cmpi_library_version($0, $1) }
    return String(whole.prefix { $0 != "\n" && $0 != "," })
  }

  /// The version of the MPI standard that the library implements, such as "3.1".
  public static var standardVersion: String {
    var (major, minor): (Int32, Int32) = (0, 0)
    _ = cmpi_standard_version(&major, &minor)
    return "\(major).\(minor)"
  }

  // MPI can be started once in the life of a process, so the value is made once.
  private static let world = Result { try Communicator() }
  private static let running = Mutex<Communicator?>(nil)

  /// Starts MPI, or returns the running communicator when it is started already.
  ///
  /// - Throws: `ClusterError` when MPI cannot start, or joins fewer processes than the launcher started;
  ///   `ThreadLimitError` where a rank cannot have the threads that it needs.
  public static func start() throws -> Communicator {
    let communicator = try world.get()
    running.withLock { $0 = communicator }
    return communicator
  }

  /// What `start` has returned; nil before that.
  public static var current: Communicator? { running.withLock { $0 } }

  private init() throws {
    let environment = ProcessInfo.processInfo.environment
    let launch = Launch(environment: environment)
    for (name, value) in launch.environmentForStart(cores: Int(process_available_cores())) {
      setenv(name, value, 0)
    }
    let host = ProcessInfo.processInfo.hostName
    func refuseSeparateRuns(size: Int) throws {
      guard let (reason, advice) = launch.mismatch(size: size) else { return }
      throw ClusterError(rank: nil, host: host, operation: "joining the ranks", reason: reason, advice: advice)
    }
    if launch.launcher == .srunWithoutMPI {
      // Open MPI ends a process that srun started without PMIx. Several tasks are an error that we can explain better;
      // a single one, such as the shell of `srun --pty`, may run alone.
      try refuseSeparateRuns(size: 1)
      unsetenv("SLURM_STEP_ID")
    }
    func check(_ status: Int32, _ operation: String) throws {
      do {
        try MPITransport.check(status)
      } catch let failure as TransportFailure {
        throw ClusterError(
          rank: nil, host: host, operation: operation, reason: failure.reason,
          advice: "Check that `mpirun -np 2 hostname` works on this host.")
      }
    }

    var level: Int32 = 0, rank: Int32 = 0, size: Int32 = 0, rankOnHost: Int32 = 0, ranksOnHost: Int32 = 0
    try WorkerThread.requireEnough()
    try StartLimit(launch, environment: environment).limit { try check(cmpi_start(&level), "starting MPI") }
    try check(cmpi_rank(&rank), "asking MPI for the rank")
    try check(cmpi_size(&size), "asking MPI for the number of ranks")
    try check(cmpi_rank_on_host(&rankOnHost, &ranksOnHost), "counting the ranks on this host")
    self.rank = Int(rank)
    self.size = Int(size)
    self.rankOnHost = Int(rankOnHost)
    self.ranksOnHost = Int(ranksOnHost)
    threadLevel = ThreadLevel(rawValue: level) ?? .single
    hostName = MPITransport.text { _ = cmpi_host_name($0, $1) }
    self.launch = launch
    transport = MPITransport()
    try refuseSeparateRuns(size: self.size)
    if isRoot { launch.signalReady(environment: environment) }
  }

  /// A rank of a job in the memory of this process.
  init(inMemory job: InMemoryJob, rank: Int) {
    self.rank = rank
    size = job.size
    hostName = ProcessInfo.processInfo.hostName
    rankOnHost = rank
    ranksOnHost = job.size
    threadLevel = .multiple
    launch = Launch(environment: [:])
    transport = InMemoryTransport(rank: rank, of: job)
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
