import Cluster
import Foundation
import Numerics

/// Where the state of a training is kept: in memory that the ranks of a host share, or by each rank for itself.
///
/// Shared, there is one copy a host of parameters, packed weights, gradient and optimizer state. The ranks then also
/// read each other's activations. Numbers do not depend on it.
package final class StateMemory: VectorMemory {
  /// Nil if each rank has a state of its own.
  package let host: HostMemory?
  /// What to tell about it; nil if there is nothing to share.
  package let note: String?
  /// For each rank whether it has a processor to itself, where ranks share memory.
  private let hasProcessor: [Bool]
  private let own = OwnMemory()
  private var used = 0

  /// Memory of this process.
  package init() { (host, note, hasProcessor) = (nil, nil, []) }

  /// Memory for a training on these ranks. Every rank calls this.
  ///
  /// - Throws: `RunError` on all ranks if the environment asks for shared memory that is unavailable.
  package init(for configuration: Configuration, _ communicator: Communicator) throws {
    let setting = try Setting.ofAllRanks(communicator)
    let hosts = communicator.hosts ?? []
    guard setting != .messages, communicator.size > 1 else {
      (host, hasProcessor) = (nil, [])
      note = communicator.size > 1 ? "by messages, as \(Setting.variable) asks" : nil
      return
    }
    var reason = "the ranks of a host are not consecutive (start them with --map-by slot)"
    var shared: HostMemory?
    if hosts.contains(where: { $0.count > 1 }) {
      let bytes = Self.bytes(for: configuration, hosts: hosts)
      shared = try HostMemory.allocate(bytes: bytes, communicator)
      reason =
        "a host has less than \(bytes >> 20) MB free in /dev/shm or under `ulimit -f`, or does not allow shared memory"
    } else if !hosts.isEmpty {
      reason = "each host has one rank"
    }
    guard shared == nil, setting == .shared else {
      host = shared
      hasProcessor = shared == nil ? [] : try communicator.ranksWithProcessor()
      note = shared == nil ? "by messages: \(reason)" : "in shared memory"
      return
    }
    throw RunError(
      "\(Setting.variable) is \(Setting.shared.rawValue), but \(reason). Unset it to exchange messages instead.",
      isEverywhere: true)
  }

  /// How the ranks of a host exchange what they have.
  private enum Setting: String, CaseIterable {
    case automatic = "", messages, shared

    static let variable = "SQAIR_HOST_EXCHANGE"

    /// The value of the environment variable. Every rank calls this.
    static func ofAllRanks(_ communicator: Communicator) throws -> Setting {
      let text = try communicator.broadcast(ProcessInfo.processInfo.environment[variable] ?? "")
      guard let setting = Setting(rawValue: text) else {
        throw RunError("\(variable) is '\(text)'. Set it to messages or shared, or unset it.", isEverywhere: true)
      }
      return setting
    }
  }

  /// What a host needs: values, gradients, optimizer state and average as long as the parameters, packed weights, and
  /// what is exchanged in each update.
  private static func bytes(for configuration: Configuration, hosts: [Range<Int>]) -> Int {
    let count = configuration.model.make().parameters.count
    let layout = MicrobatchLayout(configuration.training), ranks = hosts.last?.upperBound ?? 1
    let gradients =
      hosts.map { ReductionTree.blocks(of: layout.microbatches(ofRanks: $0, among: ranks)).count }.max() ?? 1
    let vectors = 5 * count + gradients * count
    let exchange =
      (1 << 16) * (hosts.map(\.count).max() ?? 1) + 1024 * layout.count + count / 256
      + 2 * configuration.training.largestBatch
    return MemoryLayout<Float>.stride * (vectors + PackedWeights.room(forParameters: count) + exchange)
  }

  /// Which microbatches each rank takes.
  ///
  /// - Parameter mostExamples: those of a rank that can share its activations.
  package func shares(
    _ settings: TrainingConfiguration, _ communicator: Communicator, mostExamples: Int
  ) -> MicrobatchShares {
    guard host != nil, let hosts = communicator.hosts else {
      return MicrobatchShares(MicrobatchLayout(settings), ranks: communicator.size)
    }
    return MicrobatchShares(
      MicrobatchLayout(settings, batch: settings.largestBatch), hosts: hosts, hasProcessor: hasProcessor,
      mostExamples: mostExamples)
  }

  package func vector(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
    guard let host else { return own.vector(count) }
    let start = used
    used += (count * MemoryLayout<Float>.stride + 63) / 64 * 64
    precondition(used <= host.bytes.count, "the shared memory of a training is too small")
    return UnsafeMutableBufferPointer(
      start: (host.bytes.baseAddress! + start).bindMemory(to: Float.self, capacity: count), count: count)
  }

  /// Waits until all ranks that share the state have come.
  package func synchronize() throws { try host?.synchronize() }

  /// This rank's range of the `count` items that the ranks that share the state process together.
  package func part(of count: Int) -> Range<Int> { host?.part(of: count) ?? 0..<count }

  /// Gives shared memory back, when no rank uses the state any more. Every rank calls this.
  package func release() throws { try host?.release() }
}
