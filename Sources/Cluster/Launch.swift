import Foundation

/// How this process was started, as its environment tells, before MPI has started.
///
/// Three things depend on it: a process without a launcher starts ten times faster when Open MPI is told to look for
/// no other processes; ranks that outnumber the cores must yield while they wait; and a launcher that MPI does not work
/// with must be noticed, because it makes N runs of one rank that write over each other instead of one run of N ranks.
public struct Launch: Sendable, Equatable {
  /// Who started this process.
  public enum Launcher: String, Sendable {
    /// `mpirun` (or `mpiexec`, `prterun`) of Open MPI.
    case mpirun
    /// A launcher that supports PMIx, such as `srun --mpi=pmix`.
    case pmix
    /// A launcher that supports only the older PMI, such as `srun --mpi=pmi2`, the `mpiexec` of another MPI, or those
    /// of Cray, IBM and Flux.
    case pmi
    /// `srun` without any MPI support.
    case srunWithoutMPI = "srun without --mpi=pmix"
    /// A launcher of PyTorch, `torchrun`, `accelerate launch` or `python -m torch.distributed.run`, which starts
    /// processes that MPI does not connect.
    case torchrun
    /// A shell: one process alone.
    case none = "no launcher"
  }

  public let launcher: Launcher

  /// Whether the launcher started several processes, as far as it says so.
  public var isParallel: Bool { (launcherSize ?? 1) > 1 || (launcherRank ?? 0) > 0 }

  /// How many ranks the launcher says it started; nil when it does not say.
  public let launcherSize: Int?

  /// The rank that the launcher gave to this process; nil when it does not say.
  public let launcherRank: Int?

  /// The variables that give this process a rank, those that count first in front.
  public let rankVariables: [String]

  /// How many of them the launcher says share this host; nil when it does not say.
  public let launcherSizeOnHost: Int?

  /// Whether Slurm has started this job before and now starts it again, after a preemption, a lost host or a requeue.
  public let isRestart: Bool

  /// Whether `mpirun` bound this process to cores of its own, so that its affinity mask says nothing about the host.
  package let boundAtLaunch: Bool

  /// Reads the variables that `mpirun`, PMIx, PMI and Slurm set.
  public init(environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
    func first(_ names: [String]) -> Int? { names.lazy.compactMap(number).first }
    // Flux, Cray's PALS and ALPS, IBM's jsrun, MVAPICH.
    let ranksOfOthers = ["FLUX_TASK_RANK", "PALS_RANKID", "ALPS_APP_PE", "JSM_NAMESPACE_RANK", "MV2_COMM_WORLD_RANK"]
    let sizesOfOthers = ["FLUX_JOB_SIZE", "JSM_NAMESPACE_SIZE", "MV2_COMM_WORLD_SIZE"]

    var ranks = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"] + ranksOfOthers
    if environment["TORCHELASTIC_RUN_ID"] != nil {
      ranks.append("RANK")
    } else if (number("SLURM_STEP_NUM_TASKS") ?? 1) > 1 {
      // A batch script has SLURM_PROCID too, and so has whatever it starts, but no step of several tasks.
      ranks.append("SLURM_PROCID")
    }
    rankVariables = ranks.filter { number($0) != nil }
    launcherRank = first(ranks)
    launcherSizeOnHost = number("OMPI_COMM_WORLD_LOCAL_SIZE")
    isRestart = (number("SLURM_RESTART_COUNT") ?? 0) > 0
    boundAtLaunch = environment["OMPI_MCA_orte_bound_at_launch"] == "1"
    if environment["OMPI_COMM_WORLD_SIZE"] != nil {
      launcher = .mpirun
      launcherSize = number("OMPI_COMM_WORLD_SIZE")
    } else if environment["PMIX_RANK"] != nil {
      launcher = .pmix
      launcherSize = first(["SLURM_STEP_NUM_TASKS", "PMI_SIZE"] + sizesOfOthers)
    } else if (["PMI_RANK"] + ranksOfOthers).contains(where: { environment[$0] != nil }) {
      launcher = .pmi
      launcherSize = first(["PMI_SIZE"] + sizesOfOthers)
    } else if let tasks = number("SLURM_STEP_NUM_TASKS"), environment["SLURM_PROCID"] != nil {
      // The batch script itself has SLURM_PROCID too, but no step.
      launcher = .srunWithoutMPI
      launcherSize = tasks
    } else if environment["TORCHELASTIC_RUN_ID"] != nil, let size = number("WORLD_SIZE") {
      launcher = .torchrun
      launcherSize = size
    } else {
      launcher = .none
      launcherSize = nil
    }
  }

  /// Variables to set before MPI starts, each only where the user has not set it.
  ///
  /// - Parameter cores: the cores this process may run on.
  public func environmentForStart(cores: Int) -> [String: String] {
    switch launcher {
    case .none, .srunWithoutMPI, .torchrun:
      return [
        "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self",
        "OMPI_MCA_osc": "^ucx,pt2pt",
        // Processes that are alone would all use one folder in TMPDIR, and the first to end removes it from under one
        // that starts, which then cannot.
        "OMPI_MCA_orte_create_session_dirs": "0",
      ]
    case .mpirun, .pmix, .pmi:
      let crowded = !boundAtLaunch && (launcherSizeOnHost ?? 1) > cores
      return crowded ? ["OMPI_MCA_mpi_yield_when_idle": "1"] : [:]
    }
  }

  /// A command that starts these arguments again on as many ranks; the launcher's own options are not known.
  package func command(_ arguments: [String]) -> String {
    let plain = arguments.map { word in
      let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:@%+".contains($0) }
      return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }.joined(separator: " ")
    return switch launcher {
    case .mpirun: "mpirun -np \(launcherSize ?? 1) \(plain)"
    case .pmix: "srun --mpi=pmix -n \(launcherSize ?? 1) \(plain)"
    case .pmi, .srunWithoutMPI, .torchrun, .none: plain
    }
  }

  /// Tells the script that started the job that every rank has started and may be sent signals: makes the file that
  /// `SQAIR_READY_FILE` names. One rank calls this, when MPI has started.
  package func signalReady(environment: [String: String]) {
    guard let path = environment["SQAIR_READY_FILE"], !path.isEmpty else { return }
    // Only a new file: the variable may name anything.
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    if descriptor >= 0 { close(descriptor) }
  }

  /// What is wrong, and what to do, when MPI connects another number of ranks than the launcher says it started; nil
  /// when the numbers agree.
  ///
  /// PMIx launchers other than Slurm's do not say how many processes they started. One process that MPI connects with
  /// no other is then taken for one of several.
  package func mismatch(size: Int) -> (reason: String, advice: String)? {
    let started: String
    if let launcherSize {
      guard launcherSize != size else { return nil }
      started = "started \(launcherSize) processes"
    } else if let launcherRank, launcherRank >= size {
      started = "calls this process rank \(launcherRank)"
    } else if launcher == .pmix || launcher == .pmi, size == 1 {
      started = "does not say how many processes it started"
    } else {
      return nil
    }
    let remedy =
      switch launcher {
      case .srunWithoutMPI, .pmi, .pmix:
        "start them with `srun --mpi=pmix`, or with the mpirun of the Open MPI this program is linked with; one process "
          + "needs no launcher"
      case .torchrun: "start them with `mpirun -np N sqair-dist ...`; one process needs no launcher"
      case .mpirun, .none: "start them with the mpirun of the MPI library this program is linked with"
      }
    return (
      "the launcher (\(launcher.rawValue)) \(started), but MPI connects \(size)",
      "Separate runs would overwrite each other: \(remedy)."
    )
  }
}
