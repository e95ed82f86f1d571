import Cluster
import Foundation

/// The rank that the launcher gave to this process, before MPI is asked; 0 without a launcher.
func launchedRank(environment: [String: String] = ProcessInfo.processInfo.environment) -> Int {
  Launch(environment: environment).promisedRank ?? 0
}
