import Cluster
import Foundation
import Numerics
import Storage

/// What one process of a job says about itself and its host.
package struct RankFacts: Codable, Sendable, Equatable {
  package var rank = 0
  package var host = ""
  /// Digest of the program's file; empty where the system does not show it.
  package var program = ""
  /// The folder of the run, as it was given.
  package var runFolder = ""
  /// Names and versions of the libraries it uses.
  package var libraries: [String] = []
  /// As `LinearAlgebra.kernels`.
  package var kernels = ""
  /// What `training.precision` can be.
  package var precisions = [Precision.float32.rawValue]
  /// Numbers of the cores that the process may run on.
  package var cores: [Int] = [0]
  /// How many the host has.
  package var coresOfHost = 1
  /// What the environment says about threads, such as "OMP_NUM_THREADS=8".
  package var threadSettings: [String] = []
  /// Cores' worth of processor time that a control group gives to all ranks of the host; nil if it sets no limit.
  package var coreQuota: Double?
  /// How many threads may exist under the limit of the process, and what sets it; nil if there is no limit.
  package var threadLimit: Int?
  package var threadLimitSource: String?
  /// Bytes of memory that are free on the host, or left of the limit that the process runs under, and what says so; nil
  /// if unknown.
  package var freeMemory: Int?
  package var freeMemorySource: String?
  /// Operations a second of a large matrix product while all other ranks do the same.
  package var rate = 0.0
  /// Seconds by which this host's clock is ahead of rank 0's, and how far off that may be.
  package var clockOffset = 0.0
  package var clockError = 0.0
  /// Whether the numbers received from the other ranks are those they sent.
  package var receivesRight = true
  /// Seconds that a sum of one number takes, and one of a whole gradient.
  package var latency = 0.0
  package var gradientSeconds = 0.0
  /// Whether any thread may call MPI, as the watchdog's must.
  package var canBeMonitored = true
  /// Whether the process sees what rank 0 has just written in the run's folder.
  package var seesFolder = true
  /// Whether the lock that rank 0 holds there keeps the process out; nil if that could not be tried.
  package var isLockedOut: Bool?

  package init() {}

  /// What this process knows without the others.
  init(_ communicator: Communicator) {
    rank = communicator.rank
    host = communicator.hostName
    program = (try? sha256(ofFile: "/proc/self/exe")) ?? ""
    libraries = [
      Communicator.libraryVersion, "MPI \(Communicator.standardVersion)", "HDF5 \(hdf5Version())",
      LinearAlgebra.description.split(separator: " ").prefix(2).joined(separator: " "), "Swift \(Self.swiftVersion)",
    ]
    kernels = LinearAlgebra.kernels
    precisions = Precision.allCases.filter(\.isSupported).map(\.rawValue)
    let limits = ResourceLimits.current()
    cores = Processors.current()?.numbers.sorted() ?? Array(0..<limits.affinityCores)
    coreQuota = limits.coreQuota?.value
    (threadLimit, threadLimitSource) = (limits.threads?.value, limits.threads?.source)
    (freeMemory, freeMemorySource) = (limits.freeMemory?.value, limits.freeMemory?.source)
    coresOfHost = ProcessInfo.processInfo.processorCount
    threadSettings = Self.threadSettings(ProcessInfo.processInfo.environment)
    canBeMonitored = communicator.threadLevel == .multiple
  }

  /// More than one thread, as far as the environment asks for that.
  package static func threadSettings(_ environment: [String: String]) -> [String] {
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"].compactMap { name in
      // OpenMP takes a list, one number a level.
      guard let value = environment[name], let first = value.split(separator: ",").first else { return nil }
      return Int(first) == 1 ? nil : "\(name)=\(value)"
    }
  }

  /// Of the compiler that built the program.
  private static var swiftVersion: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #elseif compiler(>=6.2)
      "6.2"
    #else
      "6.1"
    #endif
  }
}
