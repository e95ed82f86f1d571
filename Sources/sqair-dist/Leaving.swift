import ArgumentParser
import Cluster
import Diagnostics
import Foundation
import Runs

/// How this process ends when something was wrong: one message for the whole job, and on every rank a code that is
/// not 0.
struct Leaving {
  /// Rank of this process in the job, as far as its environment shows.
  let rank: Int

  /// Seconds that other ranks wait so that rank 0 can report first. When rank 0 ends, `mpirun` ends the others.
  private static let patience = 2.0

  /// Prints what there is to say about the error and ends the process.
  func leave(for error: any Error) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    let parserCode = SQAIRDist.exitCode(for: error)
    if parserCode == .success || parserCode == .validationFailure {
      // Help, version or wrong arguments: the same on every rank, so one message suffices.
      if rank > 0 {
        if parserCode != .success { Thread.sleep(forTimeInterval: Self.patience) }
        exit(parserCode.rawValue)
      }
      SQAIRDist.exit(withError: error)
    }
    if rank > 0 {
      let wasAsked = StopSignals.requested != nil
      Thread.sleep(forTimeInterval: Self.patience)
      // A signal in this time is the launcher's, ending the job because another rank has spoken.
      if !wasAsked, StopSignals.requested != nil { exit(EXIT_FAILURE) }
    }
    let isEverywhere =
      error is CollectiveFailure || error is ConfigurationError || (error as? RunError)?.isEverywhere == true
    if rank == 0 || !isEverywhere {
      let speaker = rank == 0 ? "" : "rank \(rank): "
      try? FileHandle.standardError.write(contentsOf: Data("\(speaker)error: \(error)\n".utf8))
    }
    exit((error as? any ExitCodeProviding)?.exitCode ?? EXIT_FAILURE)
  }
}

/// The rank that the launcher gave to this process, before MPI is asked; 0 without a launcher.
func launchedRank(environment: [String: String] = ProcessInfo.processInfo.environment) -> Int {
  Launch(environment: environment).promisedRank ?? 0
}
