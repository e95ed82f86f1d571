import Cluster
import Foundation
import TestSupport
import Testing

@Suite struct LaunchTests {
  static let mpirun = [
    "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4", "PMIX_RANK": "3", "SLURM_PROCID": "0",
    "SLURM_STEP_NUM_TASKS": "2",
  ]

  @Test(
    arguments: [
      (mpirun, Launch.Launcher.mpirun, 8),
      (["PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "6", "SLURM_PROCID": "1"], .pmix, 6),
      (["PMIX_RANK": "1", "PRTE_LAUNCHED": "1"], .pmix, nil),  // prterun
      (["PMIX_RANK": "1", "FLUX_TASK_RANK": "1", "FLUX_JOB_SIZE": "4"], .pmix, 4),
      (["PMI_RANK": "1", "PMI_SIZE": "3"], .pmi, 3),
      (["FLUX_TASK_RANK": "2", "FLUX_JOB_SIZE": "4"], .pmi, 4),
      (["PALS_RANKID": "1", "PALS_NODEID": "0"], .pmi, nil),  // Cray
      (["MV2_COMM_WORLD_RANK": "1", "MV2_COMM_WORLD_SIZE": "2"], .pmi, 2),
      (["JSM_NAMESPACE_RANK": "0", "JSM_NAMESPACE_SIZE": "6"], .pmi, 6),
      (["SLURM_PROCID": "-1", "SLURM_STEP_NUM_TASKS": "-4"], .none, nil),
      (["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "5"], .srunWithoutMPI, 5),
      (["SLURM_PROCID": "0", "SLURM_JOB_ID": "7"], .none, nil),  // a batch script
      (["TORCHELASTIC_RUN_ID": "none", "RANK": "1", "WORLD_SIZE": "2"], .torchrun, 2),
      (["RANK": "1", "WORLD_SIZE": "2"], .none, nil),  // anybody's variables
      ([:], .none, nil),
    ] as [([String: String], Launch.Launcher, Int?)])
  func theLauncherIsReadFromTheEnvironment(
    environment: [String: String], launcher: Launch.Launcher, launcherSize: Int?
  ) {
    let launch = Launch(environment: environment)
    #expect(launch.launcher == launcher)
    #expect(launch.launcherSize == launcherSize)
  }

  @Test func onlyAProcessWithoutLauncherIsToldToBeAlone() {
    #expect(Launch(environment: [:]).environmentForStart(cores: 2)["OMPI_MCA_ess_singleton_isolated"] == "1")
    #expect(Launch(environment: Self.mpirun).environmentForStart(cores: 4).isEmpty)
  }

  @Test func ranksThatOutnumberTheCoresYieldWhenIdle() {
    let yields = ["OMPI_MCA_mpi_yield_when_idle": "1"]
    #expect(Launch(environment: Self.mpirun).environmentForStart(cores: 3) == yields)
    let bound = Self.mpirun.merging(["OMPI_MCA_orte_bound_at_launch": "1"]) { $1 }
    #expect(Launch(environment: bound).environmentForStart(cores: 1).isEmpty, "its one core is its own")
  }

  @Test func manyRunsOfOneRankAreNoticed() throws {
    let launch = Launch(environment: ["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "5"])
    let (reason, advice) = try #require(launch.mismatch(size: 1))
    #expect(reason == "the launcher (srun without --mpi=pmix) started 5 processes, but MPI connects 1")
    #expect(advice.contains("srun --mpi=pmix"))
    #expect(launch.mismatch(size: 5) == nil)
    #expect(Launch(environment: [:]).mismatch(size: 1) == nil)
  }

  /// A batch script, and what a shell in it starts, has no step of several tasks.
  @Test func aTaskNumberAloneIsNoRank() {
    for step in [[:], ["SLURM_STEP_NUM_TASKS": "1"]] {
      let launch = Launch(environment: step.merging(["SLURM_PROCID": "1"]) { $1 })
      #expect(launch.launcherRank == nil && launch.rankVariables.isEmpty && !launch.isParallel)
    }
    #expect(Launch(environment: Self.mpirun).rankVariables == ["PMIX_RANK", "SLURM_PROCID"])
    #expect(Launch(environment: Self.mpirun).launcherRank == 3)
  }

  @Test func torchrunIsNoticed() throws {
    for rank in 0..<2 {
      let launch = Launch(environment: ["TORCHELASTIC_RUN_ID": "none", "RANK": "\(rank)", "WORLD_SIZE": "2"])
      #expect(launch.launcherRank == rank)
      let (reason, advice) = try #require(launch.mismatch(size: 1))
      #expect(reason == "the launcher (torchrun) started 2 processes, but MPI connects 1")
      #expect(advice.contains("mpirun -np N"))
    }
  }

  /// PMIx launchers other than Slurm's give a rank, and no number of ranks.
  @Test func aLauncherThatDoesNotSayHowManyIsNoticed() throws {
    for rank in 0..<2 {
      let launch = Launch(environment: ["PMIX_RANK": "\(rank)", "PRTE_LAUNCHED": "1"])
      let (reason, advice) = try #require(launch.mismatch(size: 1))
      #expect(reason.hasPrefix("the launcher (pmix) ") && reason.hasSuffix(", but MPI connects 1"))
      #expect(advice.contains("the mpirun of the Open MPI"))
      #expect(launch.mismatch(size: 2) == nil, "MPI works with this launcher")
    }
    #expect(Launch(environment: ["PMIX_RANK": "2"]).mismatch(size: 2) != nil, "there is no rank 2 of 2")
    #expect(Launch(environment: ["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"]).mismatch(size: 1) == nil)
  }

  @Test func severalProcessesAreToldFromOne() {
    #expect(Launch(environment: Self.mpirun).isParallel)
    #expect(Launch(environment: ["PMIX_RANK": "1"]).isParallel)
    #expect(!Launch(environment: ["OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"]).isParallel)
    #expect(!Launch(environment: [:]).isParallel)
  }

  /// Whatever the variable names, nothing that is there is touched.
  @Test func theFileThatSaysReadyIsANewOne() throws {
    let folder = try TemporaryDirectory()
    let (new, old) = (folder.path("ready"), folder.path("thesis"))
    try Data("thesis".utf8).write(to: URL(fileURLWithPath: old))
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: folder.path("nothing"))
    for path in [new, old, folder.path("link")] {
      Launch(environment: [:]).signalReady(environment: ["SQAIR_READY_FILE": path])
    }
    #expect(FileManager.default.fileExists(atPath: new))
    #expect(FileManager.default.contents(atPath: old) == Data("thesis".utf8))
    #expect(!FileManager.default.fileExists(atPath: folder.path("nothing")))
  }
}
