import Cluster
import Foundation
import Numerics

/// The vector kernels that the processes of a job run on, as far as the bits of a run depend on them.
///
/// Processors of different kinds round sums differently, because they take them in registers of different width. A run
/// may resume on other kernels, but from there on its last bits may differ.
package struct JobKernels: CustomStringConvertible {
  /// Names and how many processes run on each, ascending by name.
  private let processes: [(name: String, count: Int)]
  /// Which ranks and hosts run on which kernels; nil where that is not known, or they are the same everywhere.
  private var disagreement: Disagreement?

  /// - Parameter names: those of each process, as `LinearAlgebra.kernels`.
  package init(ofProcesses names: [String]) {
    processes = Dictionary(grouping: names) { $0 }.map { ($0.key, $0.value.count) }.sorted { $0.0 < $1.0 }
  }

  /// The environment variable that allows processors of different kinds.
  package static let variable = "SQAIR_MIXED_KERNELS"

  /// Refuses ranks on processors of different kinds, unless `variable` is 1: the last bits would depend on which rank
  /// computes what.
  ///
  /// - Parameters:
  ///   - kernels: those of this rank.
  ///   - isAllowed: whether this rank was told to accept others; all must be.
  /// - Throws: `RunError`, the same on all ranks.
  package static func requireEqual(
    _ communicator: Communicator, kernels: String = LinearAlgebra.kernels,
    isAllowed: Bool = ProcessInfo.processInfo.environment[variable] == "1"
  ) throws {
    let allowances = try communicator.minimum(Int64(isAllowed ? 1 : 0))
    guard allowances == 0, let found = try communicator.disagreement(on: "kernels", [.init("kernels", kernels)])
    else { return }
    throw RunError(
      "the ranks run on different kinds of processors, so the last bits of their results would differ: "
        + "\(found.valueTexts.joined(separator: ", ")). Start all ranks on processors of one kind. To use them "
        + "anyway, with bits that depend on the number of processes, set \(variable)=1 for all ranks "
        + "(mpirun -x \(variable)=1).", isEverywhere: true)
  }

  /// Refuses a precision that the processor of any rank does not have. Every process of the job calls this.
  ///
  /// - Parameter isSupported: whether that of this rank has it.
  package static func require(
    _ precision: Precision, _ communicator: Communicator, isSupported: (Precision) -> Bool = \.isSupported
  ) throws {
    try communicator.collectively("checking training.precision") {
      guard !isSupported(precision) else { return }
      throw RunError(
        "this processor has no AVX512-BF16, which training.precision=\(precision.rawValue) needs. Use processors that "
          + "have it, or start a run with training.precision=\(Precision.float32.rawValue), which runs everywhere.")
    }
  }

  /// Asks all processes.
  package init(of communicator: Communicator) throws {
    let names = try communicator.broadcast(communicator.gather(LinearAlgebra.kernels).joined(separator: "\n"))
    self.init(ofProcesses: names.split(separator: "\n").map(String.init))
    disagreement = try communicator.disagreement(on: "kernels", [.init("kernels", LinearAlgebra.kernels)])
  }

  /// "avx512/x86-64-v4", or several joined by " + ": whatever number of processes runs on each.
  package var description: String { processes.map(\.name).joined(separator: " + ") }

  /// What the user should know about the bits from here on, most often nothing.
  ///
  /// - Parameter earlier: the kernels of the checkpoint from which the run resumes; nil if there is none, or it does
  ///   not say.
  package func warnings(resumingFrom earlier: String?) -> [String] {
    var warnings: [String] = []
    if let earlier, earlier != description {
      warnings.append(
        "warning: the checkpoint was computed with the kernels \(earlier), this job runs on \(description). The run "
          + "continues, but its last bits may differ from those of a run that stayed on the earlier processors.")
    }
    if processes.count > 1 {
      let names = processes.map { "\($0.name) on \($0.count) process\($0.count == 1 ? "" : "es")" }
      let texts = disagreement?.valueTexts ?? names
      warnings.append(
        "warning: processors differ: \(texts.joined(separator: ", ")). The run is valid, but its last bits depend on "
          + "which process computes what, so another number of processes gives others. Start on processors of one kind "
          + "to have the same bits on any number.")
    }
    return warnings
  }
}
