import Cluster
import Foundation
import TestSupport
import Testing

/// Limits read from a tree of files as Linux shows them.
@Suite struct ResourceLimitsTests {
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    try write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:  100 kB\nMemAvailable:    8000000 kB\n")
  }

  private func write(_ path: String, _ text: String) throws {
    let whole = folder.path(path)
    try FileManager.default.createDirectory(
      atPath: (whole as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: whole, atomically: false, encoding: .utf8)
  }

  private func limits(cores: Int = 8, addressSpace: Int? = nil, userThreads: Int? = nil) -> ResourceLimits {
    ResourceLimits(
      root: folder.path, affinityCores: cores, addressSpace: addressSpace, userThreads: userThreads)
  }

  @Test func aHostWithoutLimitsHasItsFreeMemory() {
    let limits = limits()
    #expect(limits.memory == nil && limits.threads == nil && limits.coreQuota == nil)
    #expect(limits.freeMemory?.value == 8_000_000 * 1024)
    #expect(limits.usableCores == 8)
  }

  /// A job of Slurm: the limits are of groups above the one that holds the process.
  @Test func groupsOfVersion2LimitWhatIsBelowThem() throws {
    try write("proc/self/cgroup", "0::/slurm/job_7/step_0/task_0\n")
    try write(
      "proc/self/mountinfo",
      "24 1 0:20 / /sys rw - sysfs sysfs rw\n31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n")
    let group = "sys/fs/cgroup/slurm/job_7"
    try write(group + "/step_0/task_0/memory.max", "max\n")
    try write(group + "/step_0/memory.max", "900000000\n")
    try write(group + "/step_0/memory.current", "100000000\n")
    try write(group + "/memory.max", "500000000\n")
    try write(group + "/memory.current", "300000000\n")
    try write(group + "/memory.stat", "anon 1\ninactive_file 50000000\nactive_file 3\n")
    try write(group + "/step_0/cpu.max", "150000 100000\n")
    try write("sys/fs/cgroup/slurm/cpu.max", "max 100000\n")
    try write(group + "/pids.max", "64\n")
    let limits = limits(userThreads: 100)
    #expect(limits.memory?.value == 500_000_000)
    #expect(limits.memory?.source == "memory.max of the control group /slurm/job_7")
    #expect(limits.freeMemory?.value == 250_000_000)
    #expect(limits.coreQuota?.value == 1.5 && limits.usableCores == 2)
    #expect(limits.threads?.value == 64 && limits.threads?.source == "pids.max of the control group /slurm/job_7")
  }

  @Test func groupsOfVersion1AreOnesByController() throws {
    try write("proc/self/cgroup", "9:pids:/a\n5:cpu,cpuacct:/a/b\n4:memory:/a\n1:name=systemd:/x\n")
    try write(
      "proc/self/mountinfo",
      """
      30 24 0:26 / /sys/fs/cgroup/memory rw shared:8 - cgroup cgroup rw,memory
      31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
      32 24 0:28 / /sys/fs/cgroup/pids rw shared:10 - cgroup cgroup rw,pids

      """)
    try write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "120000000\n")
    try write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "20000000\n")
    try write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    try write("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "50000\n")
    try write("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n")
    try write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n")
    try write("sys/fs/cgroup/pids/a/pids.max", "max\n")
    let limits = limits()
    #expect(limits.memory?.value == 120_000_000 && limits.freeMemory?.value == 100_000_000)
    #expect(limits.memory?.source == "memory.limit_in_bytes of the control group /a")
    #expect(limits.coreQuota?.value == 0.5 && limits.usableCores == 1)
    #expect(limits.threads == nil)
  }

  /// Docker without a namespace of its own for groups: the mount shows the container's group only.
  @Test func aContainersOwnGroupIsTheRootOfItsMount() throws {
    try write("proc/self/cgroup", "4:memory:/docker/1f\n")
    try write(
      "proc/self/mountinfo", "30 24 0:26 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n")
    try write("sys/fs/cgroup/memory/memory.limit_in_bytes", "300000000\n")
    #expect(limits().memory?.value == 300_000_000)
  }

  @Test func limitsOfTheUserCount() {
    let limits = limits(addressSpace: 400_000_000, userThreads: 30)
    #expect(limits.memory?.value == 400_000_000 && limits.memory?.source == "ulimit -v")
    #expect(limits.threads?.value == 30 && limits.threads?.source == "ulimit -u")
  }

  @Test func filesThatMakeNoSenseAreIgnored() throws {
    try write("proc/self/cgroup", "nonsense\n0::/../../x\n:::\n")
    try write("proc/self/mountinfo", "a\n - \n31 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    try write("sys/fs/cgroup/memory.max", "seven\n")
    try write("sys/fs/cgroup/cpu.max", "100000\n")
    let limits = limits()
    #expect(limits.memory == nil && limits.coreQuota == nil)
  }

  @Test func thisProcessMayRunSomewhere() { #expect(ResourceLimits.current().usableCores >= 1) }
}
