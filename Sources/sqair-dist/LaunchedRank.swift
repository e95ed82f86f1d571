import Cluster
import Foundation

/// The rank that the launcher gave to this process, before MPI is asked; 0 without a launcher.
func launchedRank(environment: [String: String] = ProcessInfo.processInfo.environment) -> Int {
  Launch(environment: environment).launcherRank ?? 0
}

/// Whether this process does the work of a command that writes a file and is the work of one process: rank 0 does.
///
/// The others say that they do nothing: their arguments may name a task of their own.
func isWorker(_ command: String, environment: [String: String] = ProcessInfo.processInfo.environment) -> Bool {
  let launch = Launch(environment: environment)
  guard let rank = launch.launcherRank, rank > 0 else { return true }
  let unset = launch.rankVariables.map { "-u \($0) " }.joined()
  let line =
    "rank \(rank): nothing done here: `\(command)` is the work of one process, rank 0. To give each rank a task of its "
    + "own, start it as: env \(unset)sqair-dist \(command) ...\n"
  try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
  return false
}
