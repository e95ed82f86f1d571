internal import CMPI
import Foundation

/// What this process may use of its host: control groups (version 1 and 2), the affinity mask and the limits of the
/// user, whichever is lowest.
///
/// A control group limits everything below it, so all groups from the process's own up to the root count.
public struct ResourceLimits: Sendable, Equatable {
  /// A number, and what sets it, in the words a user would search for: "memory.max of the control group /job_7".
  public struct Limit: Sendable, Equatable {
    public let value: Int
    public let source: String
  }

  /// Bytes of memory that this process and those that share its limit may use; nil if only the host limits it.
  public private(set) var memory: Limit?
  /// Bytes of memory that this process could have at best: of the host with its swap space, or of the limit; nil if
  /// unknown.
  public private(set) var memoryCapacity: Limit?
  /// Bytes of memory that are still free under the tightest limit, or on the host; nil if unknown.
  public private(set) var freeMemory: Limit?
  /// Cores' worth of processor time; nil if there is no quota.
  public private(set) var coreQuota: (value: Double, source: String)?
  /// Processes and threads that may exist; nil if unlimited.
  public private(set) var threads: Limit?
  /// Cores that the scheduler lets this process run on, at least 1.
  public private(set) var affinityCores: Int

  public static func == (a: Self, b: Self) -> Bool {
    a.memory == b.memory && a.freeMemory == b.freeMemory && a.coreQuota?.value == b.coreQuota?.value
      && a.threads == b.threads && a.memoryCapacity == b.memoryCapacity && a.affinityCores == b.affinityCores
  }

  /// Cores that may be busy at once, at least 1: those of the affinity mask, or as many as the quota allows.
  public var usableCores: Int { max(1, min(affinityCores, coreQuota.map { Int($0.value.rounded()) } ?? .max)) }

  /// The limits of this process.
  public static func current() -> ResourceLimits {
    func limit(_ value: Int64) -> Int? { value < 0 ? nil : Int(value) }
    return ResourceLimits(
      root: "", affinityCores: Int(process_available_cores()), addressSpace: limit(process_address_space_limit()),
      userThreads: limit(process_user_thread_limit()))
  }

  /// - Parameters:
  ///   - root: prefix of `/proc` and `/sys`, for tests.
  ///   - addressSpace: `ulimit -v` in bytes; nil if unlimited.
  ///   - userThreads: `ulimit -u`; nil if unlimited.
  package init(root: String, affinityCores: Int, addressSpace: Int? = nil, userThreads: Int? = nil) {
    self.affinityCores = max(1, affinityCores)
    let groups = ControlGroups(root: root)
    func tighten(_ limit: inout Limit?, _ value: Int, _ source: String) {
      if value < limit?.value ?? .max { limit = Limit(value: max(0, value), source: source) }
    }

    if let total = Self.number(root + "/proc/meminfo", after: "MemTotal:") {
      let swap = Self.number(root + "/proc/meminfo", after: "SwapTotal:") ?? 0
      tighten(&memoryCapacity, (total + swap) * 1024, "the memory of the host")
    }
    let free = Self.number(root + "/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 }
    if let free { tighten(&freeMemory, free, "the free memory of the host") }
    for group in groups.folders(of: "memory") {
      let name = group.version == 2 ? "memory.max" : "memory.limit_in_bytes"
      // Version 1 writes a number near 2^63 for "no limit".
      guard let limit = Self.number(group.path + "/" + name), limit < 1 << 60 else { continue }
      let source = "\(name) of the control group \(group.name)"
      tighten(&memory, limit, source)
      tighten(&memoryCapacity, limit, source)
      let usage = group.version == 2 ? "memory.current" : "memory.usage_in_bytes"
      let cached = group.version == 2 ? "inactive_file" : "total_inactive_file"
      guard let used = Self.number(group.path + "/" + usage) else { continue }
      // The kernel gives up the file cache before it refuses memory.
      let reclaimable = Self.number(group.path + "/memory.stat", after: cached + " ") ?? 0
      tighten(&freeMemory, limit - used + min(used, reclaimable), source)
    }
    if let addressSpace {
      tighten(&memory, addressSpace, "ulimit -v")
      tighten(&memoryCapacity, addressSpace, "ulimit -v")
      let used = Self.number(root + "/proc/self/status", after: "VmSize:").map { $0 * 1024 } ?? 0
      tighten(&freeMemory, addressSpace - used, "ulimit -v")
    }

    for group in groups.folders(of: "cpu") {
      let quota: (used: Int, period: Int)?
      let name = group.version == 2 ? "cpu.max" : "cpu.cfs_quota_us"
      if group.version == 2 {
        let words = Self.text(group.path + "/cpu.max")?.split(whereSeparator: \.isWhitespace).map { Int($0) } ?? []
        if words.count == 2, let used = words[0], let period = words[1] { quota = (used, period) } else { quota = nil }
      } else if let used = Self.number(group.path + "/cpu.cfs_quota_us"),
        let period = Self.number(group.path + "/cpu.cfs_period_us")
      {
        quota = (used, period)
      } else {
        quota = nil
      }
      guard let quota, quota.used > 0, quota.period > 0 else { continue }
      let cores = Double(quota.used) / Double(quota.period)
      if cores < coreQuota?.value ?? .infinity {
        coreQuota = (cores, "\(name) of the control group \(group.name)")
      }
    }

    if let userThreads { tighten(&threads, userThreads, "ulimit -u") }
    for group in groups.folders(of: "pids") {
      guard let limit = Self.number(group.path + "/pids.max") else { continue }
      tighten(&threads, limit, "pids.max of the control group \(group.name)")
    }
  }

  static func text(_ path: String) -> String? {
    // These files have no size, and Foundation asks for it.
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](), piece = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = fread(&piece, 1, piece.count, file)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
  }

  /// The whole number that a file begins with; nil for "max" or if there is no such file.
  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.prefix { $0.isNumber || $0 == "-" }) }
  }

  /// The number on the line of a file that begins with `name`.
  private static func number(_ path: String, after name: String) -> Int? {
    guard let line = text(path)?.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
    return Int(line.dropFirst(name.count).filter(\.isNumber))
  }
}

/// Where the files of the control groups that hold this process are.
private struct ControlGroups {
  struct Folder {
    let version: Int
    let path: String
    /// As `/proc/self/cgroup` calls it.
    let name: String
  }

  /// For each controller of version 1, and for "" (version 2): the folders from the process's own group up.
  private var chains: [String: [Folder]] = [:]

  init(root: String) {
    // "4:memory:/job", "3:cpu,cpuacct:/", "0::/job" (version 2)
    var names: [String: String] = [:]
    for line in (ResourceLimits.text(root + "/proc/self/cgroup") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        names[String(controller)] = parts[2]
      }
    }
    // "31 24 0:27 /docker/1 /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory"
    for line in (ResourceLimits.text(root + "/proc/self/mountinfo") ?? "").split(separator: "\n") {
      let halves = line.components(separatedBy: " - ")
      let place = halves[0].split(separator: " ").map(String.init)
      let kind = (halves.last ?? "").split(separator: " ").map(String.init)
      guard halves.count == 2, place.count >= 5, let type = kind.first, type == "cgroup" || type == "cgroup2"
      else { continue }
      let options = type == "cgroup2" ? [""] : (kind.last ?? "").split(separator: ",").map(String.init)
      for controller in options {
        guard let name = names[controller], chains[controller] == nil else { continue }
        chains[controller] = Self.chain(
          name, mountedRoot: place[3], at: root + place[4], version: type == "cgroup2" ? 2 : 1)
      }
    }
  }

  /// The folders of both versions: a controller belongs to one of them, and the other has no such files.
  func folders(of controller: String) -> [Folder] { (chains[controller] ?? []) + (chains[""] ?? []) }

  /// From the group `name` up to the root of the mount, which in a container is the container's own group.
  private static func chain(_ name: String, mountedRoot: String, at mount: String, version: Int) -> [Folder] {
    func components(_ path: String) -> [Substring] { path.split(separator: "/") }
    let base = components(mountedRoot), own = components(name)
    var below = own.starts(with: base) ? Array(own.dropFirst(base.count)) : []
    if below.contains("..") { below = [] }
    return (0...below.count).reversed().map { depth in
      Folder(
        version: version, path: ([mount] + below.prefix(depth).map(String.init)).joined(separator: "/"),
        name: "/" + (base + below.prefix(depth)).joined(separator: "/"))
    }
  }
}
