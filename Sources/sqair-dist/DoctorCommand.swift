import ArgumentParser
import Cluster
import Diagnostics

/// `sqair-dist doctor`: whether a job would run well here.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks whether training would run well here, in one process or under a launcher.",
    discussion: """
      Compares all ranks: program, libraries, vector kernels, threads, cores, memory, speed, network, clocks, the \
      folder of the run and its locks. Start it the way the training will be started. Each line says OK, WARN or FAIL, \
      and what to do. The exit code is 0 if training can start, 1 if a check failed (with --strict also for \
      warnings), 75 if the ranks cannot reach each other within a minute.

      Examples:
        sqair-dist doctor
        mpirun -n 8 sqair-dist doctor --run /shared/first
      """)

  @Option(name: .customLong("run"), help: "Folder of the run; need not exist.", completion: .directory)
  var runDirectory = "run"

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Treat warnings as failures.")
  var strict = false

  @Flag(help: "Print only the number of ranks that suits the cores and limits of this host.")
  var ranks = false

  func run() throws {
    if ranks { return print(ResourceLimits.current().recommendedRanks(bytesPerRank: Diagnosis.minimumMemoryPerRank)) }
    let code = try runDoctor(runDirectory: runDirectory, json: json, isStrict: strict)
    if code != 0 { throw ExitCode(code) }
  }
}
