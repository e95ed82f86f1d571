import Foundation

/// Ends a process whose MPI does not start in time: a rank that hangs or ends before it joins leaves all others
/// waiting.
///
/// MPI has no limit of its own there. The message names the ranks of this host that are missing, as far as `/proc`
/// shows them.
struct StartLimit: Sendable {
  /// The environment variable that sets the limit in seconds; 0 means none.
  static let variable = "SQAIR_START_SECONDS"
  /// Ranks on one host start together; several hosts may have to load the program from a slow disk.
  static let secondsOnOneHost = 20.0, secondsOnSeveralHosts = 60.0

  let seconds: Double
  private let launch: Launch

  init(_ launch: Launch, environment: [String: String]) {
    self.launch = launch
    let isOneHost = launch.launcherSizeOnHost == launch.launcherSize || launch.launcherSize == 1
    let standard = isOneHost ? Self.secondsOnOneHost : Self.secondsOnSeveralHosts
    let asked = environment[Self.variable].flatMap { Double($0) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    seconds = launch.launcher == .none ? 0 : asked ?? standard
  }

  /// Runs the start of a job; ends the process with a message if it takes longer than the limit.
  ///
  /// - Parameter purpose: what the ranks have to do together: "for MPI to join".
  /// - Throws: what `body` throws, or `ThreadLimitError`.
  func limit<Value>(_ purpose: String, _ body: () throws -> Value) throws -> Value {
    guard seconds > 0 else { return try body() }
    let isStarted = DispatchSemaphore(value: 0)
    try WorkerThread.start("start limit") { [self] in
      guard isStarted.wait(timeout: .now() + seconds) == .timedOut else { return }
      let missing = LocalRanks(launch).missing
      // The lowest rank that knows something reports first. The launcher takes about two seconds to end the job after
      // that, and the next rank waits longer, so that one message is printed.
      let turn = 3 * min(Double(launch.launcherRank ?? 0), 4) + (missing.isEmpty ? 15 : 0)
      guard isStarted.wait(timeout: .now() + turn) == .timedOut else { return }
      try? FileHandle.standardError.write(contentsOf: Data("error: \(text(purpose, missing: missing))\n".utf8))
      // The launcher passes on what was written.
      usleep(100_000)
      _exit(Watchdog.exitCode)
    }
    defer { isStarted.signal() }
    return try body()
  }

  /// What to tell the user.
  ///
  /// - Parameters:
  ///   - purpose: as in `limit`.
  ///   - missing: sentences about ranks that have not come.
  func text(_ purpose: String, missing: [String]) -> String {
    let rank = launch.launcherRank.map { "rank \($0)" } ?? "a rank"
    let size = launch.launcherSize.map { "all \($0) ranks" } ?? "the ranks"
    let reason =
      missing.isEmpty
      ? "The ranks of this host are all here: look at the other hosts, and whether they can reach each other "
        + "(cluster/README.md, Launching)."
      : missing.joined(separator: " ")
    return
      "\(rank) on \(ProcessInfo.processInfo.hostName) has waited \(String(format: "%g", seconds)) s \(purpose) "
      + "\(size). \(reason) The job ends with code \(Watchdog.exitCode). Where ranks need longer to start, set "
      + "\(Self.variable) to more seconds for all of them."
  }
}

/// The ranks of this job that the system shows on this host.
struct LocalRanks {
  /// One sentence for each rank of this host that does not run this program.
  let missing: [String]

  init(_ launch: Launch) {
    let own = ProcessInfo.processInfo.environment
    let program = Self.link("/proc/self/exe")
    guard
      let jobVariable = ["PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "SLURM_JOB_ID"].first(where: { own[$0] != nil }),
      let job = own[jobVariable], let program, let expected = launch.launcherSizeOnHost
    else {
      missing = []
      return
    }
    var processes: [Int: [Int]] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let identifier = Int(name), let environment = Self.environment(of: identifier),
        environment[jobVariable] == job,
        let rank = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK"].lazy.compactMap({ environment[$0] }).first.flatMap({ Int($0) })
      else { continue }
      processes[rank, default: []].append(identifier)
    }
    var sentences: [String] = []
    for (rank, identifiers) in processes.sorted(by: { $0.key < $1.key }) {
      let running = identifiers.filter { Self.link("/proc/\($0)/exe") == program }
      if running.isEmpty {
        let names = identifiers.sorted().map { "\(Self.command($0)), process \($0)" }.joined(separator: "; ")
        sentences.append("Rank \(rank) does not run this program (\(names)).")
      } else if let stopped = running.first(where: { Self.isStopped($0) }) {
        sentences.append("Rank \(rank) is stopped (process \(stopped)).")
      }
    }
    let absent = expected - processes.count
    if absent > 0 {
      // Only where all ranks are on this host are their numbers known.
      let numbers = launch.launcherSize == expected ? (0..<expected).filter { processes[$0] == nil } : []
      sentences.append(
        numbers.isEmpty
          ? "\(absent) of the \(expected) ranks of this host have ended."
          : "Rank \(numbers.map(String.init).joined(separator: ", ")) has ended before it joined.")
    }
    missing = sentences
  }

  private static func link(_ path: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: path)
  }

  private static func environment(of process: Int) -> [String: String]? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/environ"), !data.isEmpty else { return nil }
    var result: [String: String] = [:]
    for entry in data.split(separator: 0) {
      let text = String(decoding: entry, as: UTF8.self)
      guard let sign = text.firstIndex(of: "=") else { continue }
      result[String(text[..<sign])] = String(text[text.index(after: sign)...])
    }
    return result
  }

  private static func command(_ process: Int) -> String {
    let name = FileManager.default.contents(atPath: "/proc/\(process)/comm").map { String(decoding: $0, as: UTF8.self) }
    return name?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
  }

  private static func isStopped(_ process: Int) -> Bool {
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
    // "12 (name) T ...": the name may hold blanks and parentheses.
    let text = String(decoding: data, as: UTF8.self)
    return text.split(separator: ")").last?.trimmingCharacters(in: .whitespaces).hasPrefix("T") ?? false
  }
}
