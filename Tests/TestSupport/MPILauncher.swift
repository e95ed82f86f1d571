import Foundation

/// Where the programs of this package lie, next to the test bundle that is running.
public enum BuiltProgram {
  /// The program that users run.
  public static func trainer() throws -> String { try path(of: "sqair-dist") }

  /// The path of the executable target `name`.
  ///
  /// - Throws: when it is not built.
  public static func path(of name: String) throws -> String {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(name).path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw ProcessRunnerError(
        description: "\(path) does not exist; build it with `swift build -c release --build-tests` first")
    }
    return path
  }
}

/// Starts programs of this package as the ranks of an MPI job on this machine.
public enum MPILauncher {
  /// This process's environment without what an MPI launcher or a started MPI put in it, and with what `mpirun` needs
  /// on a test machine: leave to run as root, and ranks that give way while they wait, for there may be more of them
  /// than cores.
  public static var environment: [String: String] {
    var result = ProcessInfo.processInfo.environment.filter { name, _ in
      !["OMPI_", "PMIX_", "ORTE_", "PMI_"].contains { name.hasPrefix($0) }
    }
    result["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    result["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    result["OMPI_MCA_mpi_yield_when_idle"] = "1"
    return result
  }

  /// Runs `ranks` processes of a program to their end.
  ///
  /// - Parameters:
  ///   - program: its path; nil means `sqair-dist`.
  ///   - environment: variables to add.
  ///   - timeout: seconds after which the job is killed.
  public static func run(
    ranks: Int, program: String? = nil, arguments: [String], environment: [String: String] = [:], timeout: Double = 60
  ) throws -> ProcessOutcome {
    try start(ranks: ranks, program: program, arguments: arguments, environment: environment).wait(timeout: timeout)
  }

  /// Starts `ranks` processes of a program and returns at once; `wait` must be called in the end.
  public static func start(
    ranks: Int, program: String? = nil, arguments: [String], environment: [String: String] = [:]
  ) throws -> RunningProcess {
    try ProcessRunner.start(
      "mpirun",
      ["--oversubscribe", "--bind-to", "none", "-np", "\(ranks)", try program ?? BuiltProgram.trainer()] + arguments,
      environment: Self.environment.merging(environment) { $1 })
  }

  /// The processes of a job's ranks on this machine, in rank order.
  public static func ranks(of job: RunningProcess) -> [pid_t] {
    let children = try? String(
      contentsOfFile: "/proc/\(job.identifier)/task/\(job.identifier)/children", encoding: .utf8)
    let ranks = (children ?? "").split(separator: " ").compactMap { pid_t($0) }.compactMap { child -> (Int, pid_t)? in
      let environment = FileManager.default.contents(atPath: "/proc/\(child)/environ") ?? Data()
      let prefix = "OMPI_COMM_WORLD_RANK="
      let entry = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        .first { $0.hasPrefix(prefix) }
      return entry.flatMap { Int($0.dropFirst(prefix.count)) }.map { ($0, child) }
    }
    return ranks.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
