internal import CMPI
import Foundation
import Synchronization

extension Communicator {
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
  private static let world = Result { try join() }
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

  /// Runs what the ranks do together first. A rank that runs another program never reaches it; this rank then exits
  /// with a message, as when a rank never reaches MPI.
  ///
  /// - Parameter purpose: such as "to compare the settings of".
  public func limitingStart<Value>(_ purpose: String, _ body: () throws -> Value) throws -> Value {
    guard size > 1 else { return try body() }
    return try StartLimit(launch, environment: ProcessInfo.processInfo.environment).limit(purpose, body)
  }

  /// What `start` has returned; nil before that.
  public static var current: Communicator? { running.withLock { $0 } }

  /// Starts MPI and joins the ranks.
  private static func join() throws -> Communicator {
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
    try StartLimit(launch, environment: environment).limit("for MPI to join") {
      try check(cmpi_start(&level), "starting MPI")
    }
    try check(cmpi_rank(&rank), "asking MPI for the rank")
    try check(cmpi_size(&size), "asking MPI for the number of ranks")
    try check(cmpi_rank_on_host(&rankOnHost, &ranksOnHost), "counting the ranks on this host")
    var firstOnHost: Int32 = 0
    try check(cmpi_first_rank_on_host(&firstOnHost), "looking for the ranks on this host")
    var firsts = [Int64](repeating: 0, count: Int(size))
    try check(cmpi_all_gather_int64(Int64(firstOnHost), &firsts), "looking for the ranks on all hosts")
    let communicator = Communicator(
      rank: Int(rank), size: Int(size), hostName: MPITransport.text { _ = cmpi_host_name($0, $1) },
      rankOnHost: Int(rankOnHost), ranksOnHost: Int(ranksOnHost),
      hosts: Communicator.hosts(firsts: firsts.map { Int($0) }), processors: .current(),
      threadLevel: ThreadLevel(rawValue: level) ?? .single, launch: launch,
      transport: MPITransport(ranksOnHost: Int(ranksOnHost)))
    try refuseSeparateRuns(size: communicator.size)
    if communicator.isRoot { launch.signalReady(environment: environment) }
    return communicator
  }
}
