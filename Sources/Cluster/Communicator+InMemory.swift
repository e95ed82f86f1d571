import Foundation

extension Communicator {
  /// A job of one rank without MPI, for commands that are the work of one process.
  public static func alone() -> Communicator { rank(0, of: InMemoryJob(size: 1)) }

  /// Runs `body` on `size` ranks that are threads of this process, to the end of all of them.
  ///
  /// - Parameters:
  ///   - ranksPerHost: how many ranks a host seems to have; nil: all ranks are on one.
  ///   - mostSharedBlocks: how many blocks of memory hosts seem to let their ranks share.
  ///   - processors: how many processors each host seems to have; nil: unknown.
  /// - Returns: what each rank returned or threw, in rank order.
  package static func inMemory<Value: Sendable>(
    ranks size: Int, ranksPerHost: Int? = nil, mostSharedBlocks: Int = .max, processors: Int? = nil,
    _ body: @escaping @Sendable (Communicator) throws -> Value
  ) -> [Result<Value, any Error>] {
    let job = InMemoryJob(size: size, ranksPerHost: ranksPerHost, mostSharedBlocks: mostSharedBlocks)
    let results = Results<Value>(count: size)
    let ended = DispatchSemaphore(value: 0)
    for rank in 0..<size {
      let thread = Thread {
        let result = Result { try body(Self.rank(rank, of: job, processors: processors)) }
        switch result {
        case .success: job.depart(rank, because: "its work is done")
        case .failure(let error): job.depart(rank, because: "\(error)")
        }
        results.set(result, at: rank)
        ended.signal()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    for _ in 0..<size { ended.wait() }
    return results.all
  }

  private static func rank(_ rank: Int, of job: InMemoryJob, processors: Int? = nil) -> Communicator {
    let own = job.hosts.first { $0.contains(rank) }!
    return Communicator(
      rank: rank, size: job.size, hostName: ProcessInfo.processInfo.hostName, rankOnHost: rank - own.lowerBound,
      ranksOnHost: own.count, hosts: job.hosts, processors: processors.map { Processors(numbers: Set(0..<$0)) },
      threadLevel: .multiple, launch: Launch(environment: [:]), transport: InMemoryTransport(rank: rank, of: job))
  }

  /// What threads return.
  private final class Results<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Result<Value, any Error>?]

    init(count: Int) { values = Array(repeating: nil, count: count) }

    func set(_ value: Result<Value, any Error>, at index: Int) { lock.withLock { values[index] = value } }

    var all: [Result<Value, any Error>] { lock.withLock { values.map { $0! } } }
  }
}
