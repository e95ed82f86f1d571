import Foundation
import Runs

/// Evaluates the facts about the ranks of a job.
public struct Diagnosis: Sendable {
  /// Size of the gradient that is sent: about that of the default model.
  package static let gradientCount = 3_000_000

  /// Bytes with which a rank of the default model and batch can start.
  public static let minimumMemoryPerRank = 150_000_000

  private let ranks: [RankFacts]
  private let folder: FolderFacts

  /// - Parameter ranks: in rank order, at least one.
  package init(_ ranks: [RankFacts], _ folder: FolderFacts) {
    self.ranks = ranks
    self.folder = folder
  }

  package var checks: [HealthCheck] {
    [program, libraries, kernels, threads] + hosts.map(cores) + hosts.map(memory) + [speed]
      + (ranks.count > 1 ? network : []) + [writing, locking]
  }

  // MARK: Groups of ranks

  private struct Host {
    let name: String
    let ranks: [RankFacts]
  }

  /// In the order of their lowest ranks.
  private var hosts: [Host] {
    var names: [String] = []
    for rank in ranks where !names.contains(rank.host) { names.append(rank.host) }
    return names.map { name in Host(name: name, ranks: ranks.filter { $0.host == name }) }
  }

  /// "rank 3 (node1)", or several, the first eight by name.
  private static func names(_ ranks: [RankFacts]) -> String {
    let shown = ranks.prefix(8).map { "\($0.rank) (\($0.host))" }.joined(separator: ", ")
    return (ranks.count == 1 ? "rank " : "ranks ") + shown + (ranks.count > 8 ? " and \(ranks.count - 8) more" : "")
  }

  /// The values that differ from that of rank 0, each with its ranks; nil if there are none.
  private func others<Value: Hashable>(_ fact: (RankFacts) -> Value, _ text: (Value) -> String) -> String? {
    let first = fact(ranks[0])
    let different = Dictionary(grouping: ranks.filter { fact($0) != first }, by: fact)
    guard !different.isEmpty else { return nil }
    let parts = different.sorted { $0.value[0].rank < $1.value[0].rank }.map {
      "\(Self.names($0.value)): \(text($0.key))"
    }
    return "rank 0: \(text(first)); " + parts.joined(separator: "; ")
  }

  private var everywhere: String { ranks.count == 1 ? "" : ", the same on all \(ranks.count) ranks" }

  // MARK: The program

  private var program: HealthCheck {
    func short(_ digest: String) -> String { digest.isEmpty ? "unknown" : "sha256 " + digest.prefix(12) }
    let title = "sqair-dist \(softwareVersion)"
    guard let others = others(\.program, short) else {
      return HealthCheck("program", .ok, "\(title), \(short(ranks[0].program))\(everywhere)")
    }
    return HealthCheck(
      "program", .fail, "\(title) is not the same file everywhere: \(others)",
      "Install one build on all hosts, or start it from a shared disk.")
  }

  private var libraries: HealthCheck {
    let text = { (libraries: [String]) in libraries.joined(separator: ", ") }
    guard let others = others(\.libraries, text) else {
      return HealthCheck("libraries", .ok, text(ranks[0].libraries) + everywhere)
    }
    return HealthCheck(
      "libraries", .warn, "hosts have different libraries: \(others)",
      "Results may differ: install the same packages on all hosts.")
  }

  private var kernels: HealthCheck {
    guard let others = others(\.kernels, { $0 }) else {
      let common = ranks[0].precisions.filter { precision in ranks.allSatisfy { $0.precisions.contains(precision) } }
      return HealthCheck(
        "kernels", .ok,
        ranks[0].kernels + everywhere + "; training.precision can be \(common.joined(separator: " or "))")
    }
    return HealthCheck(
      "kernels", .warn, "processors use different vector kernels: \(others)",
      "A run is valid, but has the same bits on any number of processes only on processors of one kind.")
  }

  // MARK: Each host

  private func cores(_ host: Host) -> HealthCheck {
    let all = Set(host.ranks.flatMap(\.cores))
    let isBound = all.count < host.ranks[0].coresOfHost || host.ranks.contains { $0.cores.count < all.count }
    let shown = host.ranks.prefix(8).map { "\($0.rank): \($0.cores.ranges(separator: ","))" }.joined(separator: ", ")
    let text =
      "\(host.name): \(Self.counted(host.ranks.count, "rank")) on \(Self.counted(all.count, "core")), "
      + (isBound ? "bound (\(shown)\(host.ranks.count > 8 ? ", ..." : ""))" : "not bound")
    // A rank shares its cores with the ranks that may only run on these: there must be a core for each of them.
    func sharers(_ rank: RankFacts) -> [RankFacts] { host.ranks.filter { Set($0.cores).isSubset(of: rank.cores) } }
    if let quota = host.ranks.compactMap(\.coreQuota).min(), Double(host.ranks.count) > quota + 0.1 {
      return HealthCheck(
        "cores", .warn,
        "\(text): a control group gives them the processor time of \(String(format: "%g", quota)) cores in all",
        "Start at most \(Self.counted(max(1, Int(quota.rounded())), "rank")) on this host, or raise the quota (cpu.max)."
      )
    }
    guard let crowded = host.ranks.first(where: { sharers($0).count > $0.cores.count }) else {
      return HealthCheck("cores", .ok, text)
    }
    let most = host.ranks[0].coresOfHost
    return HealthCheck(
      "cores", .warn,
      "\(text): \(Self.names(sharers(crowded))) share \(crowded.cores.count == 1 ? "core" : "cores") "
        + "\(crowded.cores.ranges(separator: ",")), so no more than \(crowded.cores.count) of them "
        + "\(crowded.cores.count == 1 ? "computes" : "compute") at a time",
      host.ranks.count > most
        ? "Start at most \(Self.counted(most, "rank")) on this host."
        : "Give each rank a core of its own: `mpirun --bind-to core`, `srun --cpu-bind=cores`, or `--bind-to none`.")
  }

  /// Threads of a rank: its main thread, MPI's, the watchdog, the loader, and some in reserve.
  private static let threadsPerRank = 8

  private var threads: HealthCheck {
    if let host = hosts.first(where: { host in
      host.ranks.compactMap(\.threadLimit).min().map { $0 < Self.threadsPerRank * host.ranks.count } ?? false
    }), let limited = host.ranks.first(where: { $0.threadLimit != nil }) {
      return HealthCheck(
        "threads", .fail,
        "\(host.name): threads are limited to \(limited.threadLimit ?? 0) (\(limited.threadLimitSource ?? "unknown")), "
          + "and \(Self.counted(host.ranks.count, "rank")) need \(Self.threadsPerRank * host.ranks.count)",
        "Raise `ulimit -u` or the container's pids limit (pids.max), or start fewer ranks on this host.")
    }
    let asking = ranks.filter { !$0.threadSettings.isEmpty }
    guard let first = asking.first else { return HealthCheck("threads", .ok, "1 per rank") }
    return HealthCheck(
      "threads", .warn,
      "1 per rank, although \(Self.names(asking)) \(asking.count == 1 ? "has" : "have") "
        + first.threadSettings.joined(separator: " ") + " in the environment",
      "A rank computes with one thread in any case, and other cores reserved for it stay idle: unset it, and start one "
        + "rank per core.")
  }

  private func memory(_ host: Host) -> HealthCheck {
    guard let free = host.ranks.compactMap(\.freeMemory).min() else {
      return HealthCheck("memory", .ok, "\(host.name): unknown: the system does not report it")
    }
    let each = free / host.ranks.count
    let source = host.ranks.first { $0.freeMemory == free }?.freeMemorySource.map { " (\($0))" } ?? ""
    let text = "\(host.name): \(Self.size(free)) free\(source), \(Self.size(each)) per rank"
    let advice = "A rank takes 300 to 600 MB with the default model and batch: start fewer on this host."
    return HealthCheck(
      "memory", each < Self.minimumMemoryPerRank ? .fail : each < 600_000_000 ? .warn : .ok, text, advice)
  }

  private var speed: HealthCheck {
    let rates = ranks.map(\.rate).sorted()
    let median = Spread(rates).median
    let slow = ranks.filter { $0.rate < 0.8 * median }
    func rate(_ value: Double) -> String { String(format: "%.0f GFLOP/s", value * 1e-9) }
    if ranks.count == 1 { return HealthCheck("speed", .ok, "\(rate(median)) in a large matrix product") }
    let text = "\(rate(rates[0])) to \(rate(rates.last!)) per rank in a large matrix product, all at the same time"
    guard !slow.isEmpty else { return HealthCheck("speed", .ok, text) }
    return HealthCheck(
      "speed", .warn, "\(text); \(Self.names(slow)) much slower than the other ranks, which have to wait",
      "Look for other programs on that host, a lower clock, or ranks that share a core.")
  }

  // MARK: Between ranks

  private var network: [HealthCheck] {
    let wrong = ranks.filter { !$0.receivesRight }
    let latency = ranks.map(\.latency).max()!, gradient = ranks.map(\.gradientSeconds).max()!
    let bytes = 4 * Double(Self.gradientCount)
    let timing = String(
      format: "a sum over %d ranks takes %.0f us, the sum of a gradient of %.0f MB %.1f ms (%.2f GB/s)", ranks.count,
      latency * 1e6, bytes * 1e-6, gradient * 1e3, bytes / gradient * 1e-9)
    let isSlow = latency > 2e-3 || bytes / gradient < 1e8
    let unmonitored = ranks.filter { !$0.canBeMonitored }
    let skewed = ranks.filter { abs($0.clockOffset) - $0.clockError > 1 }
    let offset = ranks.map { abs($0.clockOffset) }.max()!, error = ranks.map(\.clockError).max()!
    return [
      wrong.isEmpty
        ? HealthCheck(
          "network", isSlow ? .warn : .ok, timing,
          "Between hosts, name the fast network: `--mca btl_tcp_if_include 10.0.0.0/24`. `sqair-dist benchmark "
            + "--scaling` measures the cost. On one host, check whether ranks outnumber cores.")
        : HealthCheck(
          "network", .fail, "\(Self.names(wrong)) received numbers that differ from those sent",
          "Check that all hosts have the same Open MPI and the same program."),
      HealthCheck(
        "watchdog", unmonitored.isEmpty ? .ok : .warn,
        unmonitored.isEmpty
          ? "ranks can monitor each other" : "MPI does not allow threads: a stalled rank is not detected",
        "Use a build of Open MPI with MPI_THREAD_MULTIPLE."),
      HealthCheck(
        "clocks", skewed.isEmpty ? .ok : .warn,
        skewed.isEmpty
          ? String(format: "at most %.3f s apart (measured to %.3f s)", offset, error)
          : "the clock of \(Self.names(skewed)) is "
            + String(format: "%.1f s off that of rank 0", skewed.map(\.clockOffset).max { abs($0) < abs($1) }!),
        "Times in logs will not match: synchronize the clocks of the hosts (chrony, ntp)."),
    ]
  }

  // MARK: The run's folder

  private var writing: HealthCheck {
    if let others = others(\.runFolder, { "--run \($0)" }) {
      return HealthCheck(
        "folder", .fail, "the ranks were given different folders: \(others)", "Give all ranks the same --run.")
    }
    if let problem = folder.writingProblem {
      return HealthCheck(
        "folder", .fail, "cannot write to \(folder.path): \(problem)", "Choose another folder with --run.")
    }
    let blind = ranks.filter { !$0.seesFolder }
    if !blind.isEmpty {
      return HealthCheck(
        "folder", .warn, "\(Self.names(blind)) cannot see what rank 0 writes in \(folder.path)",
        "It is not on a shared file system, or changes appear late: training files must be visible on all hosts.")
    }
    guard let free = folder.freeBytes else { return HealthCheck("folder", .ok, "\(folder.path) can be written") }
    return HealthCheck(
      "folder", free < 200_000_000 ? .fail : free < 2_000_000_000 ? .warn : .ok,
      "\(folder.path) can be written, \(Self.size(free)) free",
      "A checkpoint takes 12 bytes per parameter, 36 MB with the default model, and several are kept: free some space.")
  }

  private var locking: HealthCheck {
    if let problem = folder.lockingProblem {
      return HealthCheck(
        "locks", .warn, "files in \(folder.path) cannot be locked: \(problem)",
        "Nothing prevents a second job from writing in the same folder: make sure there is none, or use a file system with "
          + "locks.")
    }
    let free = ranks.filter { $0.isLockedOut == false }
    guard free.isEmpty else {
      return HealthCheck(
        "locks", .warn, "a lock of rank 0 in \(folder.path) does not exclude \(Self.names(free))",
        "Nothing prevents a job on another host from writing in the same folder: make sure there is none, or mount the "
          + "file system with locks that all hosts see (NFS: without nolock and local_lock).")
    }
    return HealthCheck("locks", .ok, ranks.count > 1 ? "a lock of rank 0 excludes the others" : "files can be locked")
  }

  private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1_000_000_000 ? String(format: "%.1f GB", Double(bytes) * 1e-9) : "\(bytes / 1_000_000) MB"
  }
}
