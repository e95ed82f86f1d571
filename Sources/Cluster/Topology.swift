internal import CMPI
import Foundation

/// Where this process runs and with whom it shares the cores, and so how many threads it should use.
public struct Topology: Sendable, Equatable {
  /// The host's name.
  public let hostName: String
  /// Cores the scheduler lets this process run on: fewer than the host has where the launcher or a container binds it.
  public let availableCores: Int
  /// Ranks of the job on this host.
  public let ranksOnHost: Int
  /// Whether this rank's cores are its own, because the launcher bound it to them.
  public let isBound: Bool

  /// The place of this process.
  public init(_ communicator: Communicator) {
    self.init(
      hostName: communicator.hostName, availableCores: Self.availableCores,
      ranksOnHost: communicator.ranksOnHost, isBound: communicator.launch.boundAtLaunch)
  }

  package init(hostName: String, availableCores: Int, ranksOnHost: Int, isBound: Bool) {
    self.hostName = hostName
    self.availableCores = availableCores
    self.ranksOnHost = ranksOnHost
    self.isBound = isBound
  }

  /// Cores this process may run on, at least 1.
  public static var availableCores: Int { Int(process_available_cores()) }

  /// Ranks that share the cores this process sees.
  var ranksOnTheseCores: Int { isBound ? 1 : ranksOnHost }

  /// Threads for BLAS and the element-wise loops of a rank: one, unless the user asks for more.
  ///
  /// BLAS does not know how many ranks share the host; its own choice would be all cores for each of them.
  public func threads(requested: Int? = nil) -> Int { max(1, requested ?? 1) }

  /// What to tell the user when the host has more threads to run than cores; nil when all is well.
  public func crowding(threads: Int) -> String? {
    let wanted = ranksOnTheseCores * threads
    guard wanted > availableCores else { return nil }
    return "\(hostName): \(ranksOnTheseCores) ranks of \(threads) thread\(threads == 1 ? "" : "s") share "
      + "\(availableCores) core\(availableCores == 1 ? "" : "s"), so they wait for each other; start "
      + "\(max(1, availableCores / threads)) ranks on this host, or lower the number of threads"
  }
}
