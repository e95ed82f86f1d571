import Cluster
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
      (["PMI_RANK": "1", "PMI_SIZE": "3"], .pmi, 3),
      (["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "5"], .srunWithoutMPI, 5),
      (["SLURM_PROCID": "0", "SLURM_JOB_ID": "7"], .none, nil),  // a batch script
      ([:], .none, nil),
    ] as [([String: String], Launch.Launcher, Int?)])
  func theLauncherIsReadFromTheEnvironment(
    environment: [String: String], launcher: Launch.Launcher, promisedSize: Int?
  ) {
    let launch = Launch(environment: environment)
    #expect(launch.launcher == launcher)
    #expect(launch.promisedSize == promisedSize)
  }

  @Test func onlyAProcessWithoutLauncherIsToldToBeAlone() {
    #expect(Launch(environment: [:]).environmentForStart(cores: 2)["OMPI_MCA_ess_singleton_isolated"] == "1")
    #expect(Launch(environment: Self.mpirun).environmentForStart(cores: 4).isEmpty)
  }

  @Test func ranksThatOutnumberTheCoresGiveWay() {
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
}
