import ArgumentParser
import Cluster
import Foundation
import Runs
import Storage

/// How this process ends when something was wrong: one message for the whole job, and on every rank a code that is
/// not 0.
struct ErrorExit {
  /// Seconds that other ranks wait so that rank 0 can report first. When rank 0 ends, `mpirun` ends the others.
  private static let patience = 2.0
  /// Seconds after which an error that all ranks should meet has not ended the job: rank 0 has not met it.
  private static let patienceForSame = 5.0

  /// Index of this process in the job: MPI's once it has started, else the launcher's.
  private static var rank: Int { Communicator.current?.rank ?? launchedRank() }

  /// Prints what there is to say about the error and ends the process.
  ///
  /// - Parameter command: the program, which knows its usage.
  static func end(for error: any Error, of command: any ParsableCommand.Type) -> Never {
    if let code = error as? ExitCode { exit(withCode: code.rawValue) }
    if error is LimitError {
      write("error: \(error)")
      // Not `exit`: under such a limit the libraries may never finish.
      _exit(EXIT_FAILURE)
    }
    let rank = rank
    let parserCode = command.exitCode(for: error)
    if parserCode == .success || parserCode == .validationFailure {
      // Help, version or wrong arguments: the same on every rank, so one message suffices.
      if rank > 0 {
        if parserCode != .success {
          Thread.sleep(forTimeInterval: patienceForSame)
          write("rank \(rank): error: \(SQAIRDist.message(for: error).printableLines) (rank 0 has other arguments)")
        }
        exit(parserCode.rawValue)
      }
      guard parserCode == .success else { command.exit(withError: error) }
      print(command.fullMessage(for: error))
      exit(withCode: 0)
    }
    // All ranks have agreed on these, so rank 0 reports them.
    let isReportedByRoot = error is CollectiveFailure || error is Disagreement
    // These are met by all ranks, unless one was started with other arguments.
    let isProbablyEverywhere = error is ConfigurationError || (error as? RunError)?.isEverywhere == true
    if rank > 0 {
      let wasAsked = StopSignals.requested != nil
      Thread.sleep(forTimeInterval: isProbablyEverywhere ? patienceForSame : patience)
      // A signal in this time is the launcher's, ending the job because another rank has reported an error.
      if !wasAsked, StopSignals.requested != nil { exit((error as? any ExitCodeProviding)?.exitCode ?? EXIT_FAILURE) }
    }
    if rank == 0 || !isReportedByRoot {
      let speaker = rank == 0 ? "" : "rank \(rank): "
      write("\(speaker)error: \("\(error)".printableLines)")
    }
    exit((error as? any ExitCodeProviding)?.exitCode ?? EXIT_FAILURE)
  }

  /// Ends a command whose result is printed: with `code`, or as a failure if the result could not be written.
  private static func exit(withCode code: Int32) -> Never {
    do {
      try StandardOutput.flush()
    } catch {
      write("error: \(error)")
      Foundation.exit(code == 0 ? EXIT_FAILURE : code)
    }
    Foundation.exit(code)
  }

  private static func exit(_ code: Int32) -> Never { Foundation.exit(code) }

  private static func write(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8))
  }
}
