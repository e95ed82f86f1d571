import Diagnostics
import Testing

/// What the doctor concludes from what ranks say.
@Suite struct DiagnosisTests {
  /// Ranks that are well: two on each host, each bound to a core of its own.
  private func ranks(_ count: Int, _ change: (inout RankFacts) -> Void = { _ in }) -> [RankFacts] {
    (0..<count).map { rank in
      var facts = RankFacts()
      facts.rank = rank
      facts.host = "node\(rank / 2)"
      facts.program = "abcdef0123456789"
      facts.libraries = ["Open MPI v4.1.4", "HDF5 1.10.8", "OpenBLAS 0.3.21"]
      facts.kernels = "avx512/x86-64-v4"
      facts.cores = [rank % 2]
      facts.coresOfHost = 4
      facts.freeMemory = 4_000_000_000
      facts.rate = 100e9
      facts.latency = 20e-6
      facts.gradientSeconds = 12e-3
      facts.isLockedOut = rank > 0 ? true : nil
      change(&facts)
      return facts
    }
  }

  private func onOneHost(_ count: Int, _ change: (inout RankFacts) -> Void) -> [RankFacts] {
    ranks(count) {
      $0.host = "node0"
      change(&$0)
    }
  }

  private let folder = FolderFacts(path: "/shared/run", freeBytes: 50_000_000_000)

  private func check(_ name: String, _ ranks: [RankFacts], _ folder: FolderFacts? = nil) throws -> HealthCheck {
    let checks = Diagnosis(ranks, folder ?? self.folder).checks.filter { $0.name == name }
    return try #require(checks.first { $0.state != .ok } ?? checks.first)
  }

  @Test func allIsWell() {
    let checks = Diagnosis(ranks(4), folder).checks
    #expect(checks.allSatisfy { $0.state == .ok && $0.advice == nil }, "\(checks)")
    #expect(
      checks.map(\.name) == [
        "program", "libraries", "kernels", "threads", "cores", "cores", "memory", "memory", "speed", "network",
        "watchdog", "clocks", "folder", "locks",
      ])
    // A process alone has no network.
    #expect(Diagnosis(ranks(1), folder).checks.count == 9)
  }

  @Test func anotherProgramFails() throws {
    let found = try check("program", ranks(4) { if $0.rank > 1 { $0.program = "0000" } })
    #expect(found.state == .fail)
    #expect(
      found.text.hasSuffix(
        "is not the same file everywhere: rank 0: sha256 abcdef012345; ranks 2 (node1), 3 (node1): sha256 0000"))
  }

  @Test func anotherRunFolderFails() throws {
    let found = try check("folder", ranks(2) { $0.runFolder = $0.rank == 1 ? "b" : "a" })
    #expect(found.state == .fail)
    #expect(found.text == "the ranks were given different folders: rank 0: --run a; rank 1 (node0): --run b")
  }

  @Test func otherLibrariesAndKernelsAreTold() throws {
    #expect(try check("libraries", ranks(2) { if $0.rank == 1 { $0.libraries = ["Open MPI v5"] } }).state == .warn)
    let kernels = try check("kernels", ranks(3) { if $0.rank == 1 { $0.kernels = "avx2/x86-64-v3" } })
    #expect(kernels.state == .warn)
    #expect(kernels.text.hasSuffix("rank 0: avx512/x86-64-v4; rank 1 (node0): avx2/x86-64-v3"))
  }

  @Test func thePrecisionsThatAllRanksHaveAreTold() throws {
    let text = "avx512/x86-64-v4, the same on all 2 ranks; training.precision can be "
    #expect(try check("kernels", ranks(2) { $0.precisions = ["float32", "bf16"] }).text == text + "float32 or bf16")
    #expect(
      try check("kernels", ranks(2) { if $0.rank == 1 { $0.precisions = ["float32", "bf16"] } }).text
        == text + "float32")
  }

  @Test func coresAreCounted() throws {
    let shared = try check("cores", ranks(2) { $0.cores = [3] })
    #expect(shared.state == .warn && shared.advice?.contains("--bind-to core") == true)
    #expect(
      shared.text
        == "node0: 2 ranks on 1 core, bound (0: 3, 1: 3): ranks 0 (node0), 1 (node0) share core 3, so no "
        + "more than 1 of them computes at a time")
    // Ranks of a socket share its cores, unless they are more; one without company on its core is not named.
    #expect(try check("cores", ranks(2) { $0.cores = [0, 1, 2] }).state == .ok)
    let crowd = try check("cores", onOneHost(5) { $0.cores = $0.rank % 4 == 0 ? [3 - $0.rank / 4] : [0, 1] })
    #expect(
      crowd.state == .warn && crowd.text.contains("1 (node0), 2 (node0), 3 (node0) share cores 0-1, so no more than 2"),
      "\(crowd)")
    // One that may go anywhere makes room.
    #expect(try check("cores", ranks(2) { $0.cores = $0.rank == 0 ? [0] : [0, 1, 2, 3] }).state == .ok)
    #expect(try check("cores", ranks(2) { $0.cores = [0, 1, 2, 3] }).text == "node0: 2 ranks on 4 cores, not bound")
    let many = try check("cores", onOneHost(5) { $0.cores = [0, 1, 2, 3] })
    #expect(many.state == .warn && many.advice == "Start at most 4 ranks on this host.")
  }

  @Test func threadsOfTheEnvironmentAreTold() throws {
    let asked = try check("threads", ranks(2) { if $0.rank == 1 { $0.threadSettings = ["OMP_NUM_THREADS=8"] } })
    #expect(asked.state == .warn)
    #expect(asked.text == "1 per rank, although rank 1 (node0) has OMP_NUM_THREADS=8 in the environment")
    let settings = ["OMP_NUM_THREADS": "1,8", "OPENBLAS_NUM_THREADS": "4", "HOME": "8"]
    #expect(RankFacts.threadSettings(settings) == ["OPENBLAS_NUM_THREADS=4"])
    #expect(RankFacts.threadSettings(["OMP_NUM_THREADS": "4,2"]) == ["OMP_NUM_THREADS=4,2"])
  }

  @Test func memoryIsSharedByTheRanksOfAHost() throws {
    #expect(try check("memory", ranks(2) { $0.freeMemory = 1_000_000_000 }).state == .warn)
    #expect(try check("memory", ranks(1) { $0.freeMemory = 1_000_000_000 }).state == .ok)
    let little = try check("memory", ranks(3) { $0.freeMemory = $0.rank == 2 ? 100_000_000 : 4_000_000_000 })
    #expect(little.state == .fail && little.text == "node1: 100 MB free, 100 MB per rank")
    #expect(try check("memory", ranks(1) { $0.freeMemory = nil }).state == .ok)
  }

  @Test func aSlowRankIsNamed() throws {
    let slow = try check("speed", ranks(4) { if $0.rank == 3 { $0.rate = 60e9 } })
    #expect(slow.state == .warn && slow.text.contains("rank 3 (node1) much slower"), "\(slow)")
    #expect(try check("speed", ranks(4) { if $0.rank == 3 { $0.rate = 85e9 } }).state == .ok)
  }

  @Test func theNetworkIsJudged() throws {
    #expect(try check("network", ranks(2) { $0.latency = 5e-3 }).state == .warn)
    #expect(try check("network", ranks(2) { $0.gradientSeconds = 0.6 }).state == .warn)
    let wrong = try check("network", ranks(2) { $0.receivesRight = $0.rank == 0 })
    #expect(wrong.state == .fail && wrong.text.hasPrefix("rank 1 (node0) received numbers that differ"))
    #expect(try check("watchdog", ranks(2) { $0.canBeMonitored = false }).state == .warn)
    let clock = try check("clocks", ranks(2) { if $0.rank == 1 { $0.clockOffset = -90 } })
    #expect(clock.state == .warn && clock.text == "the clock of rank 1 (node0) is -90.0 s off that of rank 0")
    // Not known well enough to be told.
    #expect(try check("clocks", ranks(2) { ($0.clockOffset, $0.clockError) = (2, 1.5) }).state == .ok)
  }

  @Test func theFolderIsJudged() throws {
    func judge(_ change: (inout FolderFacts) -> Void) throws -> (HealthCheck, HealthCheck) {
      var folder = folder
      change(&folder)
      return (try check("folder", ranks(2), folder), try check("locks", ranks(2), folder))
    }
    #expect(try judge { $0.freeBytes = 1_000_000_000 }.0.state == .warn)
    #expect(try judge { $0.freeBytes = 100_000_000 }.0.state == .fail)
    let readOnly = try judge { $0.writingProblem = "Permission denied" }.0
    #expect(readOnly.state == .fail && readOnly.text == "cannot write to /shared/run: Permission denied")
    #expect(try judge { $0.lockingProblem = "No locks available" }.1.state == .warn)
    #expect(try check("folder", ranks(2) { $0.seesFolder = $0.rank == 0 }).state == .warn)
    let free = try check("locks", ranks(4) { if $0.rank > 1 { $0.isLockedOut = false } })
    #expect(free.state == .warn)
    #expect(free.text == "a lock of rank 0 in /shared/run does not exclude ranks 2 (node1), 3 (node1)")
  }

  @Test func linesAreAligned() {
    let checks = [HealthCheck("program", .ok, "well"), HealthCheck("cores", .warn, "few", "Take more.")]
    #expect(checks.text == "OK    program  well\nWARN  cores    few\n               Take more.")
  }

  @Test func aQuotaOfProcessorTimeIsToldBesideTheCores() throws {
    let found = try check("cores", onOneHost(2) { $0.coreQuota = 0.5 })
    #expect(found.state == .warn && found.text.contains("the processor time of 0.5 cores"), "\(found)")
    #expect(try check("cores", onOneHost(2) { $0.coreQuota = 2 }).state == .ok)
  }

  @Test func theLimitOfMemoryIsNamed() throws {
    let found = try check(
      "memory",
      onOneHost(2) {
        $0.freeMemory = 120_000_000
        $0.freeMemorySource = "memory.max of the control group /job"
      })
    #expect(
      found.state == .fail && found.text.contains("120 MB free (memory.max of the control group /job)"), "\(found)")
  }

  @Test func tooFewThreadsFail() throws {
    let found = try check(
      "threads",
      onOneHost(2) {
        $0.threadLimit = 12
        $0.threadLimitSource = "ulimit -u"
      })
    #expect(found.state == .fail && found.text.contains("threads are limited to 12 (ulimit -u)"), "\(found)")
    #expect(try check("threads", onOneHost(2) { $0.threadLimit = 100 }).state == .ok)
  }
}
