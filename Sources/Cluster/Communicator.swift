internal import CMPI
import Foundation
import Synchronization

/// A number that MPI can add and compare.
public protocol Reducible: Sendable {
  /// How MPI names the type.
  static var element: ReducibleElement { get }
}

/// The number types that travel between ranks.
public enum ReducibleElement: Sendable { case float, double, int64 }

extension Float: Reducible { public static var element: ReducibleElement { .float } }
extension Double: Reducible { public static var element: ReducibleElement { .double } }
extension Int64: Reducible { public static var element: ReducibleElement { .int64 } }

/// All ranks of the job and what they can do together: one value a process, from `start()` to `finish()`.
///
/// Every method that talks to other ranks must be called by all of them, in the same order and with buffers of the same
/// length; a rank that does not come leaves the others waiting. A process that was started without a launcher is a job
/// of one rank, and everything here works for it as well.
///
/// Calls may come from any one thread at a time; from several at once only where `threadLevel` is `.multiple`.
public final class Communicator: Sendable {
  /// How many threads may call MPI, as the library granted it.
  public enum ThreadLevel: Int32, Sendable, Comparable {
    case single, funneled, serialized, multiple
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// This process among all, from 0.
  public let rank: Int
  /// How many processes the job has.
  public let size: Int
  /// The host's name as MPI knows it.
  public let hostName: String
  /// This process among those on the same host, from 0.
  public let rankOnHost: Int
  /// How many processes of the job run on this host.
  public let ranksOnHost: Int
  /// How many threads may call MPI.
  public let threadLevel: ThreadLevel
  /// Who started this process.
  public let launch: Launch

  /// Goes up by one at the beginning and at the end of each call that may wait for other ranks: odd within.
  let calls = Atomic<Int>(0)

  /// True on rank 0, which speaks and writes for all.
  public var isRoot: Bool { rank == 0 }

  /// The first line of the MPI library's own version text.
  public static var libraryVersion: String {
    let whole = text { cmpi_library_version($0, $1) }
    return String(whole.prefix { $0 != "\n" && $0 != "," })
  }

  /// The version of the MPI standard that the library follows, such as "3.1".
  public static var standardVersion: String {
    var (major, minor): (Int32, Int32) = (0, 0)
    _ = cmpi_standard_version(&major, &minor)
    return "\(major).\(minor)"
  }

  // MPI can be started once in the life of a process, so the value is made once.
  private static let world = Result { try Communicator() }

  /// Starts MPI, or returns the running communicator when it is started already.
  ///
  /// - Throws: `ClusterError` when MPI cannot start, or joins fewer processes than the launcher started.
  public static func start() throws -> Communicator { try world.get() }

  private init() throws {
    let launch = Launch(environment: ProcessInfo.processInfo.environment)
    for (name, value) in launch.environmentForStart(cores: Int(process_available_cores())) {
      setenv(name, value, 0)
    }
    let host = ProcessInfo.processInfo.hostName
    func refuseSeparateRuns(size: Int) throws {
      guard let (reason, advice) = launch.disagreement(size: size) else { return }
      throw ClusterError(rank: nil, host: host, operation: "joining the ranks", reason: reason, advice: advice)
    }
    if launch.launcher == .srunWithoutMPI {
      // Open MPI ends a process that srun started without PMIx. Several tasks are an error that we can explain better;
      // a single one, such as the shell of `srun --pty`, may go on alone.
      try refuseSeparateRuns(size: 1)
      unsetenv("SLURM_STEP_ID")
    }
    func check(_ status: Int32, _ operation: String) throws {
      guard status != 0 else { return }
      throw ClusterError(
        rank: nil, host: host, operation: operation, reason: Self.text { cmpi_error_text(status, $0, $1) },
        advice: "Check that `mpirun -np 2 hostname` works on this host.")
    }

    var level: Int32 = 0, rank: Int32 = 0, size: Int32 = 0, rankOnHost: Int32 = 0, ranksOnHost: Int32 = 0
    try check(cmpi_start(&level), "starting MPI")
    try check(cmpi_rank(&rank), "asking MPI for the rank")
    try check(cmpi_size(&size), "asking MPI for the number of ranks")
    try check(cmpi_host_place(&rankOnHost, &ranksOnHost), "counting the ranks on this host")
    self.rank = Int(rank)
    self.size = Int(size)
    self.rankOnHost = Int(rankOnHost)
    self.ranksOnHost = Int(ranksOnHost)
    threadLevel = ThreadLevel(rawValue: level) ?? .single
    hostName = Self.text { _ = cmpi_host_name($0, $1) }
    self.launch = launch
    try refuseSeparateRuns(size: self.size)
    if isRoot { launch.tellReady(environment: ProcessInfo.processInfo.environment) }
  }

  // MARK: Numbers

  /// Replaces every value by its sum over the ranks.
  ///
  /// All ranks receive the same result. The order of the additions is MPI's, so another number of ranks may round
  /// differently.
  public func sum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, CMPI_SUM, "summing")
  }

  /// Replaces every value by its sum over the ranks.
  public func sum<Number: Reducible>(_ values: inout [Number]) throws {
    try values.withUnsafeMutableBufferPointer { try sum($0) }
  }

  /// The sum of one number over the ranks.
  public func sum<Number: Reducible>(_ value: Number) throws -> Number { try one(value, CMPI_SUM, "summing") }

  /// Replaces every value by the largest over the ranks.
  public func maximum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, CMPI_MAXIMUM, "taking the maximum of")
  }

  /// The largest of one number over the ranks.
  public func maximum<Number: Reducible>(_ value: Number) throws -> Number {
    try one(value, CMPI_MAXIMUM, "taking the maximum of")
  }

  /// Replaces every value by the smallest over the ranks.
  public func minimum<Number: Reducible>(_ values: UnsafeMutableBufferPointer<Number>) throws {
    try reduce(values, CMPI_MINIMUM, "taking the minimum of")
  }

  /// The smallest of one number over the ranks.
  public func minimum<Number: Reducible>(_ value: Number) throws -> Number {
    try one(value, CMPI_MINIMUM, "taking the minimum of")
  }

  private func one<Number: Reducible>(_ value: Number, _ operation: cmpi_operation, _ verb: String) throws -> Number {
    var result = value
    try withUnsafeMutablePointer(to: &result) {
      try reduce(UnsafeMutableBufferPointer(start: $0, count: 1), operation, verb)
    }
    return result
  }

  private func reduce<Number: Reducible>(
    _ values: UnsafeMutableBufferPointer<Number>, _ operation: cmpi_operation, _ verb: String
  ) throws {
    guard let start = values.baseAddress else { return }
    let element =
      switch Number.element {
      case .float: CMPI_FLOAT
      case .double: CMPI_DOUBLE
      case .int64: CMPI_INT64
      }
    try check(cmpi_reduce(start, Int64(values.count), element, operation)) {
      "\(verb) \(values.count) values of \(Number.self) over \(size) ranks"
    }
  }

  // MARK: Bytes and texts

  /// Copies rank 0's bytes to every rank. All ranks pass buffers of the same length.
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws {
    guard let start = bytes.baseAddress else { return }
    try check(cmpi_broadcast(start, Int64(bytes.count), 0)) { "broadcasting \(bytes.count) bytes from rank 0" }
  }

  /// Rank 0's bytes on every rank; what the others pass is ignored.
  public func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
    var result = bytes
    let count = Int(try maximum(isRoot ? Int64(bytes.count) : 0))
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
    let mine = Array(text.utf8)
    var sizes = [Int64](repeating: 0, count: size)
    try check(cmpi_all_gather_int64(Int64(mine.count), &sizes)) { "collecting the lengths of \(size) texts" }
    let total = Int(sizes.reduce(0, +))
    var all = [UInt8](repeating: 0, count: isRoot ? total : 0)
    try check(cmpi_gather(mine, sizes, &all, 0)) { "collecting \(total) bytes of text on rank 0" }
    guard isRoot else { return [] }
    var start = 0
    return sizes.map { count in
      defer { start += Int(count) }
      return String(decoding: all[start..<start + Int(count)], as: UTF8.self)
    }
  }

  /// Waits until every rank is here.
  public func barrier() throws { try check(cmpi_barrier()) { "waiting for all \(size) ranks" } }

  // MARK: The end

  /// Leaves MPI. To be called by every rank when all of them are done; later calls do nothing.
  public func finish() throws { try check(cmpi_finish()) { "leaving MPI" } }

  /// Ends every process of the job at once with `code`, for an error that only this rank knows about.
  public func abort(code: Int32) -> Never { cmpi_abort(code) }

  func check(_ call: @autoclosure () -> Int32, _ operation: () -> String) throws {
    calls.wrappingAdd(1, ordering: .relaxed)
    let status = call()
    calls.wrappingAdd(1, ordering: .relaxed)
    guard status != 0 else { return }
    throw ClusterError(
      rank: rank, host: hostName, operation: operation(), reason: Self.text { cmpi_error_text(status, $0, $1) },
      advice: "Look for a rank that ended before this one, then start the run again: it goes on from its checkpoint.")
  }

  /// A text that C writes into a buffer.
  private static func text(_ write: (UnsafeMutablePointer<CChar>, Int32) -> Void) -> String {
    var buffer = [CChar](repeating: 0, count: 1024)
    write(&buffer, Int32(buffer.count))
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
