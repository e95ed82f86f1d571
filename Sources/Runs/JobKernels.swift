import Cluster
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
  /// - Parameter earlier: the kernels of the checkpoint from which the run resumes; nil if there is none, or it does not
  ///   say.
  package func warnings(resumingFrom earlier: String?) -> [String] {
    var warnings: [String] = []
    if let earlier, earlier != description {
      warnings.append(
        "warning: the checkpoint was computed with the kernels \(earlier), this job runs on \(description). The run goes "
          + "on, but its last bits may differ from here on from those it would have had there.")
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
