import CHDF5
import Foundation

/// What the process does that a check has started.
extension HDF5StructureCheck {
  /// Does the exercise and ends, if this process was started for it; otherwise takes note that the program can do it.
  public static func runIfAsked() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, arguments[1] == exercise else {
      isAvailable.withLock { $0 = true }
      return
    }
    limit(RLIMIT_CORE.rawValue, to: 0)
    limit(RLIMIT_CPU.rawValue, to: rlim_t(timeLimit))
    limit(RLIMIT_AS.rawValue, to: addressSpace() + memoryLimit)
    readStructure(of: arguments[2])
    _exit(chdf5_lacks_memory() != 0 ? outOfMemory : 0)
  }

  /// Bytes of address space that the process has before it opens the file: libraries, above all.
  private static func addressSpace() -> rlim_t {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").first
    return rlim_t(pages.flatMap { Int($0) } ?? 1 << 20) * rlim_t(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func limit(_ resource: UInt32, to value: rlim_t) {
    var limits = rlimit()
    guard getrlimit(__rlimit_resource_t(resource), &limits) == 0 else { return }
    limits.rlim_max = min(limits.rlim_max, value)
    limits.rlim_cur = min(limits.rlim_cur, limits.rlim_max)
    setrlimit(__rlimit_resource_t(resource), &limits)
  }

  /// All calls of HDF5 with which readers of this module look at the structure of a file. Problems that the readers
  /// report themselves are left to them.
  private static func readStructure(of path: String) {
    guard let file = try? HDF5File(reading: path, isChecked: true) else { return }
    let texts = ["format", "generator", "source", "digest", "model", "config", "data", "software", "kernels"]
    for name in texts where (try? file.hasAttribute(name)) == true { _ = try? file.textAttribute(name) }
    for name in ["version", "seed", "step"] where (try? file.hasAttribute(name)) == true {
      _ = try? file.doublesAttribute(name)
    }
    _ = chdf5_collect_garbage()
    readGroup("/", of: file, depth: 0)
    _ = chdf5_collect_garbage()
  }

  private static func readGroup(_ group: String, of file: HDF5File, depth: Int) {
    guard depth < 32 else { return }
    for child in (try? file.children(of: group)) ?? [] {
      let path = (group == "/" ? "/" : group + "/") + child.name
      if child.kind == .group { readGroup(path, of: file, depth: depth + 1) }
      guard child.kind == .dataSet, let set = try? file.dataSet(path) else { continue }
      _ = try? set.requireComplete()
      _ = try? set.readCorners(largestChunk: largestChunk)
    }
  }
}
