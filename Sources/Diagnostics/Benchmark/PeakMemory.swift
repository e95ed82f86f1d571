import Foundation

/// The largest resident memory of this process.
enum PeakMemory {
  /// Resets the peak. Where the system does not allow that, the peak covers the lifetime of the process.
  static func reset() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
  }

  /// Largest number of bytes of resident memory since `reset`; 0 where the system does not report it.
  static var bytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return 0 }
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
  }

  /// Bytes of resident memory now, where a page that n processes share counts as an nth of it for each; 0 where the
  /// system does not report it.
  static var proportionalBytes: Int {
    guard let rollup = try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8),
      let line = rollup.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") })
    else { return 0 }
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
  }
}
