import Foundation
import Processes
import Synchronization

/// Reads the structure of an HDF5 file in a process of its own, before this one does.
///
/// HDF5 1.10 trusts what a file says of itself: damaged or hostile files make it crash, loop for ever or take memory
/// without limit, above all files in h5py's default format, which have no checksums. So a program that calls
/// `runIfAsked` first in its `main` starts itself once more for each file that it opens. That process reads the
/// structure under limits of time and memory; if it does not survive, the file is refused.
///
/// Nothing of MPI is used in that process. In a program that does not call `runIfAsked`, files are read without it.
public enum HDF5StructureCheck {
  /// Names the exercise on the command line; hidden from users.
  static let exercise = "__check-hdf5-structure"
  /// Seconds of processor time that HDF5 may take for the structure of a file.
  static let timeLimit = 10
  /// Seconds until the process is given up, on a machine or a disk that is too busy.
  private static let waitLimit = 300
  /// Bytes of memory that HDF5 may take.
  static let memoryLimit: rlim_t = 1 << 30
  /// Exit code of a process that did not get the memory that the file claims.
  static let outOfMemory: Int32 = 71
  /// Larger chunks are not read for the check.
  static let largestChunk = 64 << 20

  static let isAvailable = Mutex(false)
  private static let checked = VerifiedFiles()

  /// Refuses a file whose structure HDF5 does not survive.
  static func require(_ path: String) throws {
    guard isAvailable.withLock({ $0 }), !checked.contains(path) else { return }
    guard let child = start(path) else { return }
    let outcome = wait(for: child)
    guard let problem = outcome else {
      checked.record(path)
      return
    }
    throw StorageError(
      file: path, problem: "the structure of the file is damaged: HDF5 \(hdf5Version()) \(problem)",
      hint: "Copy it again from its source, or create it again. Files without checksums, such as h5py writes unless "
        + "libver='v110' is given, cannot tell where.")
  }

  /// Starts this program for the exercise; nil where that cannot be done.
  private static func start(_ path: String) -> pid_t? {
    // Without what makes it look like a process of the job, and without threads of BLAS.
    let launcher = ["OMPI_", "PMIX_", "PMI_", "PMI2_", "ORTE_", "PRTE_"]
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in !launcher.contains { name.hasPrefix($0) }
    }
    environment["OPENBLAS_NUM_THREADS"] = "1"
    environment["SWIFT_BACKTRACE"] = "enable=no"
    // Memory that was never written is not by chance zeros, so that what depends on it shows here and not later.
    environment["MALLOC_PERTURB_"] = "165"
    return try? startProcess(
      "/proc/self/exe", arguments: ["sqair-dist", exercise, path], environment: environment, streams: StandardStreams(),
      ownGroup: false)
  }

  /// Waits for the end of the exercise.
  ///
  /// - Returns: how HDF5 failed; nil if it did not, or if something else ended the process.
  private static func wait(for child: pid_t) -> String? {
    let end = ContinuousClock.now + .seconds(waitLimit)
    var pause: UInt32 = 500
    while true {
      var status: Int32 = 0
      let found = waitpid(child, &status, WNOHANG)
      if found == child {
        switch ProcessEnding(status: status) {
        case .signalled(let signal) where [SIGXCPU, SIGKILL].contains(signal): return "does not finish reading it"
        case .signalled(let signal)
        where [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGSYS].contains(signal):
          return "crashes on it (signal \(signal))"
        case .exited(outOfMemory): return "wants more than \(memoryLimit >> 20) MiB of memory for it"
        default: return nil
        }
      }
      if found < 0, errno != EINTR { return nil }
      if ContinuousClock.now > end {
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        return "does not finish reading it within \(waitLimit) s"
      }
      usleep(pause)
      pause = min(pause * 2, 10_000)
    }
  }
}
