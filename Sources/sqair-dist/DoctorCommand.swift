import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist doctor`: whether a job would run well here.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks whether a training would run well here, alone or under a launcher.",
    discussion: """
      Compares what matters on all ranks: program, libraries, vector kernels, threads, cores, memory, speed, network, \
      clocks, the run's folder and its locks. Start it as the training will be started. Each line says OK, WARN or \
      FAIL, and what to do. The exit code is 0 if a training can start, 1 if anything failed (with --strict: or was \
      warned of), 75 if the ranks cannot reach each other for a minute.

      Examples:
        sqair-dist doctor
        mpirun -n 8 sqair-dist doctor --run /shared/first
      """)

  @Option(name: .customLong("run"), help: "Folder of the run; need not be there.", completion: .directory)
  var runDirectory = "run"

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "A warning counts as a failure.")
  var strict = false

  func run() throws {
    let code = try doctor(runDirectory: runDirectory, json: json, isStrict: strict)
    if code != 0 { throw ExitCode(code) }
  }
}
