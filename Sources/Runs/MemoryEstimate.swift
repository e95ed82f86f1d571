import Cluster
import Foundation
import Models
import Numerics

/// What a command needs of memory, estimated before any of it is taken: less than the true need, so that no command is
/// refused that could run, and near enough to tell a setting that cannot work from one that can.
///
/// The numbers are floating point, which no setting makes overflow. The constants were fitted to the peak of runs with
/// 32 to 1,024 hidden units, 3 to 10 frames and up to 160 particles at a time; one that needs 254 MB
/// is estimated at 163 MB.
package struct MemoryEstimate {
  /// A part of the need, and the settings that it grows with.
  private struct Part {
    let purpose: String
    let bytes: Double
    let settings: [(name: String, value: Int)]
  }

  private var parts: [Part] = []

  /// The program, its libraries and MPI.
  private static let program = 50e6
  /// Examples and rows that are computed at a time at most.
  private static let largestPiece = 32.0, mostEvaluatedRows = 320.0

  /// A training, on each of `ranks` processes.
  ///
  /// - Parameter sharing: processes of a host that have one copy of the parameters if the host allows it.
  package init(training configuration: Configuration, ranks: Int, sharing: Int = 1) {
    let settings = configuration.training, model = configuration.model.constants
    // Of the largest update of the run.
    let batch = settings.batchSchedule.values.reduce(settings.batchSize, max)
    let first = settings.start.steps > 0 ? settings.start.particles : 0
    let particles = settings.particleSchedule.values.reduce(max(settings.particles, first), max)
    let examples = (Double(batch) / Double(ranks)).rounded(.up)
    let rows = min(examples, Self.largestPiece) * Double(particles)
    let frames = Double(settings.longestFrames), pixels = Double(model.height) * Double(model.width)
    // Values, gradients, packed copies, optimizer and the copies of a checkpoint.
    add(
      "parameters", 40 * Self.parameters(of: configuration.model) / Double(sharing), Self.sizes(of: configuration.model)
    )
    add(
      "activations", rows * frames * Self.bytesPerRow(configuration.model),
      [
        ("training.particles", particles), ("training.batchSize", batch),
        ("training.frames.end", settings.longestFrames),
        ("model.hiddenSize", model.hidden),
      ])
    add(
      "sequences and their losses", examples * (3 * frames * pixels + 64),
      [("training.batchSize", batch), ("training.frames.end", settings.longestFrames)])
    add(
      "sums of microbatches", Double(min(settings.wantedMicrobatches, settings.batchSize)) * 240,
      [("training.microbatches", settings.wantedMicrobatches), ("training.batchSize", settings.batchSize)])
  }

  /// A model that is used with a number of particles for each sequence.
  ///
  /// - Parameters:
  ///   - particles: what the user calls them, and how many.
  ///   - frames: of each sequence.
  package init(evaluating configuration: Configuration, particles: (name: String, value: Int), frames: Int) {
    add("parameters", 16 * Self.parameters(of: configuration.model), Self.sizes(of: configuration.model))
    let count = Double(particles.value)
    add(
      "activations", min(count, Self.mostEvaluatedRows) * Double(frames) * Self.bytesPerRow(configuration.model) / 2, []
    )
    // Weights, terms of the bound, and the objects of each frame.
    add("particles", count * (72 + 8 * Double(frames)), [particles])
  }

  /// A model that generates sequences, one at a time where they are large.
  ///
  /// - Parameters:
  ///   - rows: what multiplies the frames of a sequence, as the user calls it.
  ///   - frames: of each sequence.
  package init(generating configuration: Configuration, rows: [(name: String, value: Int)], frames: Int) {
    let model = configuration.model.constants
    let count = rows.reduce(1) { $0 * Double($1.value) }
    add("parameters", 16 * Self.parameters(of: configuration.model), Self.sizes(of: configuration.model))
    add(
      "generated frames", count * Double(frames) * 4 * Double(model.height) * Double(model.width),
      rows + [("--frames", frames)])
  }

  /// Adds what a command keeps besides.
  ///
  /// - Parameters:
  ///   - purpose: what it is, for messages.
  ///   - settings: those that it grows with, as the user calls them.
  package mutating func add(_ purpose: String, _ bytes: Double, _ settings: [(name: String, value: Int)]) {
    parts.append(Part(purpose: purpose, bytes: bytes, settings: settings))
  }

  /// Bytes in all.
  package var bytes: Double { parts.reduce(Self.program) { $0 + $1.bytes } }

  /// - Parameters:
  ///   - ranks: processes on this host that need as much.
  ///   - limits: of this process.
  /// - Throws: `RunError` that names the need, the limit, and the settings to lower.
  package func require(ranks: Int = 1, limits: ResourceLimits = .current()) throws {
    guard let largest = parts.max(by: { $0.bytes < $1.bytes }) else { return }
    let settings = largest.settings.map { "\($0.name) (now \($0.value))" }.joined(separator: ", ")
    let fewer = ranks > 1 ? ", or start fewer processes on a host" : ""
    let remedy = settings.isEmpty ? "" : "Lower \(settings)\(fewer)."
    Memory.advice.withLock { $0 = remedy }
    guard let capacity = limits.memoryCapacity, bytes * Double(ranks) > Double(capacity.value) else { return }
    let each = ranks > 1 ? " for each of \(ranks) processes on this host" : ""
    throw RunError(
      "at least \(Self.text(bytes)) of memory would be needed\(each), \(Self.text(largest.bytes)) of it for "
        + "\(largest.purpose), but \(ProcessInfo.processInfo.hostName) allows \(Self.text(Double(capacity.value))) in all "
        + "(\(capacity.source)). \(remedy)")
  }

  /// How much larger than the estimate the need may be.
  private static let uncertainty = 2.0

  /// What to expect where the limit is above the estimate, but may be below the need: the system then ends a process
  /// without a word.
  ///
  /// - Parameters:
  ///   - ranks: processes on this host that need as much.
  ///   - limits: of this process.
  package func warning(ranks: Int = 1, limits: ResourceLimits = .current()) -> String? {
    let need = bytes * Double(ranks)
    guard let capacity = limits.memoryCapacity, need * Self.uncertainty > Double(capacity.value) else { return nil }
    return "memory may not suffice: \(Self.text(need)) to \(Self.text(need * Self.uncertainty)) are needed, and "
      + "\(ProcessInfo.processInfo.hostName) allows \(Self.text(Double(capacity.value))) (\(capacity.source)). If a process "
      + "is killed (code 137): raise the limit. \(Memory.advice.withLock { $0 })"
  }

  // MARK: The model

  /// Trainable numbers, of which the squares of the layers' widths are most.
  private static func parameters(of model: ModelConfiguration) -> Double {
    let sizes = model.constants
    let hidden = Double(sizes.hidden), what = Double(sizes.what)
    let pixels = sizes.encoder == .mlp ? Double(sizes.height) * Double(sizes.width) : 0
    let isWhole = model.kind == .sqair
    let others = Double(sizes.maskHidden) + Double(sizes.whereBiasHidden) + Double(sizes.wherePriorHidden)
    return hidden * ((isWhole ? 22 : 5) * hidden + pixels + (isWhole ? 18 : 3) * what) + (isWhole ? others * hidden : 0)
  }

  /// Bytes of one row, a particle of an example, in one frame, with its gradients.
  private static func bytesPerRow(_ model: ModelConfiguration) -> Double {
    let sizes = model.constants
    let factor: Double = model.kind == .sqair ? 1 : 0.3
    return 4 * factor * (100 * Double(sizes.hidden) + 4 * Double(sizes.height) * Double(sizes.width))
  }

  private static func sizes(of model: ModelConfiguration) -> [(name: String, value: Int)] {
    let sizes = model.constants
    let all = [
      ("model.hiddenSize", sizes.hidden), ("model.appearanceSize", sizes.what),
      ("model.maskHiddenSize", sizes.maskHidden),
      ("model.whereBiasHiddenSize", sizes.whereBiasHidden), ("model.wherePriorHiddenSize", sizes.wherePriorHidden),
    ]
    // The width to lower is the one that stands out.
    return all.sorted { $0.1 > $1.1 }.prefix(2).map { (name: $0.0, value: $0.1) }
  }

  private static func text(_ bytes: Double) -> String {
    if bytes >= 1e21 { return String(format: "%.1e bytes", bytes) }
    for (unit, size) in [("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9)] where bytes >= size {
      return String(format: "%.1f ", bytes / size) + unit
    }
    return String(format: "%.0f MB", bytes / 1e6)
  }
}
