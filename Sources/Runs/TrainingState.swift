import Models
import Numerics
import Storage

/// All that changes while a run trains: parameters, optimizer state, average and the number of finished updates.
///
/// Together with the configuration it determines the rest of the run; nothing in it depends on the
/// number of processes.
package final class TrainingState {
  package let model: any SequenceModel
  package let optimizer: any Optimizer
  /// The mean of the parameters that the model is used with; nil if it is used with the parameters themselves.
  package let average: ParameterAverage?
  /// Finished updates.
  package var step = 0
  /// The kernels that the numbers were computed with, as `JobKernels` describes them; nil if that is not known. They do
  /// not determine the rest of the run, but its last bits.
  package var kernels: String?

  /// Where all of it is kept.
  package let memory: StateMemory
  private let configuration: Configuration

  /// A state at the start: parameters from the seed, the mean image from the training data.
  ///
  /// - Parameter memory: where it is kept. Ranks that share it all make the state, with the same numbers; none must use
  ///   it before `memory.synchronize()`.
  package init(_ configuration: Configuration, meanImage: [Float], in memory: StateMemory = StateMemory()) {
    self.configuration = configuration
    self.memory = memory
    model = configuration.model.make(in: memory)
    model.parameters.initialize(seed: configuration.training.seed)
    if let mean = model.parameters.parameter("dec.mean_img") { model.parameters.write(meanImage, to: mean) }
    optimizer = configuration.training.optimizer.make(count: model.parameters.count, in: memory)
    let decay = configuration.training.average
    average = decay > 0 ? ParameterAverage(of: model.parameters.values, decay: decay, in: memory) : nil
  }

  /// What belongs to each parameter beside its value: the optimizer's state, and under the name `average` the mean. Of
  /// these an update leaves each process with its slice.
  package var buffers: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    optimizer.state + (average.map { [(name: Self.averageName, values: $0.values)] } ?? [])
  }

  private static let averageName = "average"

  /// Uses the model with the average, if there is one. Every rank that shares the state calls this; see
  /// `TrainingStep.gatherAverage`.
  package func withAverage<Result>(_ body: () throws -> Result) throws -> Result {
    guard let average else { return try body() }
    try exchange(average)
    let result = Swift.Result { try body() }
    try exchange(average)
    return try result.get()
  }

  private func exchange(_ average: ParameterAverage) throws {
    try memory.synchronize()
    average.swap(with: model.parameters.values, part: memory.part(of: average.values.count))
    try memory.synchronize()
  }

  /// The state as a file's content.
  package func checkpoint(data: String) -> Checkpoint {
    let parameters = model.parameters
    func arrays(_ buffer: UnsafeMutableBufferPointer<Float>) -> [NamedArray] {
      parameters.parameters.map {
        NamedArray(name: $0.name, shape: $0.shape, values: parameters.read($0, from: UnsafeBufferPointer(buffer)))
      }
    }
    return Checkpoint(
      step: UInt64(step), model: configuration.model.kind.rawValue, seed: configuration.training.seed,
      configuration: configuration.resolvedJSON, data: data, software: softwareVersion, kernels: kernels,
      parameters: arrays(parameters.values),
      optimizer: buffers.map { Checkpoint.OptimizerSlot(name: $0.name, arrays: arrays($0.values)) })
  }

  /// Takes over the parameters of a checkpoint of the same model, to begin a new run with them.
  ///
  /// - Parameter theirs: the names of all parameters that the model of the checkpoint has. Others keep their initial
  ///   values: those of a layer that a switch adds.
  /// - Returns: the names of these others.
  /// - Throws: `RunError` that names what does not fit, or is not finite.
  package func start(from checkpoint: Checkpoint, at path: String, parameters theirs: Set<String>) throws -> [String] {
    let new = model.parameters.parameters.filter { !theirs.contains($0.name) }
    let initial = new.map { parameter in
      NamedArray(name: parameter.name, shape: parameter.shape, values: model.parameters.read(parameter))
    }
    try restoreModel(checkpoint, from: path, completedBy: initial)
    // The updates that they had are those of another run.
    (step, kernels) = (0, nil)
    if let average { _ = average.values.update(fromContentsOf: model.parameters.values) }
    return new.map(\.name)
  }

  /// Takes over the parameters of a checkpoint of the same model, to use them: their average if it holds one. The
  /// optimizer stays as it is.
  ///
  /// - Parameter others: parameters that the checkpoint lacks.
  /// - Throws: `RunError` that names what does not fit, or is not finite.
  package func restoreModel(
    _ checkpoint: Checkpoint, from path: String, completedBy others: [NamedArray] = []
  ) throws {
    let average = checkpoint.optimizer.first { $0.name == Self.averageName }
    // A mean of them that is finite would hide it.
    try Self.refuseNonFinite(checkpoint.parameters, path)
    try restore((average?.arrays ?? checkpoint.parameters) + others, of: checkpoint, from: path)
  }

  private func restore(
    _ parameters: [NamedArray], of checkpoint: Checkpoint, from path: String, evenIfNotFinite: Bool = false
  ) throws {
    if !evenIfNotFinite { try Self.refuseNonFinite(parameters, path) }
    try model.parameters.restore(parameters, into: model.parameters.values, from: path)
    step = Int(checkpoint.step)
    kernels = checkpoint.kernels
  }

  private static func refuseNonFinite(_ parameters: [NamedArray], _ path: String) throws {
    guard let array = parameters.first(where: { !$0.values.allSatisfy(\.isFinite) }) else { return }
    throw RunError(
      "\(path): parameter '\(array.name.printable)' has numbers that are not finite. Use an earlier checkpoint.")
  }

  /// Whether all of it is finite, so that a run can be resumed from it.
  package var isFinite: Bool {
    model.parameters.values.allSatisfy(\.isFinite) && buffers.allSatisfy { $0.values.allSatisfy(\.isFinite) }
  }

  /// Takes over a checkpoint of the same model and optimizer, to resume its run.
  ///
  /// - Parameter evenIfNotFinite: to find out why, which is all that such a state is good for.
  /// - Throws: `RunError` that names what does not fit, or is not finite.
  package func restore(_ checkpoint: Checkpoint, from path: String, evenIfNotFinite: Bool = false) throws {
    guard !checkpoint.optimizer.isEmpty || optimizer.state.isEmpty else {
      throw RunError(
        "\(path): it holds a model without the state of the optimizer, so that no run can be resumed from it. "
          + "Evaluate it, generate from it, or begin a new run with it (--from).")
    }
    try restore(checkpoint.parameters, of: checkpoint, from: path, evenIfNotFinite: evenIfNotFinite)
    for slot in checkpoint.optimizer where !evenIfNotFinite {
      if let array = slot.arrays.first(where: { !$0.values.allSatisfy(\.isFinite) }) {
        throw RunError(
          "\(path): the optimizer state '\(slot.name.printable)' of '\(array.name.printable)' has numbers that are not "
            + "finite. Use an earlier checkpoint.")
      }
    }
    for (name, values) in buffers {
      guard let slot = checkpoint.optimizer.first(where: { $0.name == name }) else {
        throw RunError(
          "\(path): it holds no optimizer state '\(name)' (only "
            + "\(checkpoint.optimizer.map(\.name.printable).joined(separator: ", "))). "
            + "It was trained with another optimizer: choose the same one, or another run folder.")
      }
      try model.parameters.restore(slot.arrays, into: values, from: path)
    }
  }
}

extension ParameterStore {
  /// Writes named arrays into a buffer laid out like the parameters.
  ///
  /// - Throws: `RunError` if an array is missing, superfluous or of another shape.
  func restore(
    _ arrays: [NamedArray], into buffer: UnsafeMutableBufferPointer<Float>, from path: String
  ) throws {
    try check(arrays, from: path)
    let byName = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    for parameter in parameters { write(byName[parameter.name]!.values, to: parameter, in: buffer) }
  }

  /// Refuses named arrays that are not these parameters, which need no memory for it.
  ///
  /// - Throws: `RunError` if an array is missing, superfluous or of another shape.
  func check(_ arrays: [NamedArray], from path: String) throws {
    let byName = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    for parameter in parameters {
      guard byName[parameter.name]?.shape == parameter.shape else {
        let found = byName[parameter.name].map { "the shape \($0.shape)" } ?? "nothing of that name"
        throw RunError(
          "\(path): parameter '\(parameter.name)' should have the shape \(parameter.shape), but the file has \(found). "
            + "It is a checkpoint of another model: use its own configuration, or another run folder.")
      }
    }
    if let extra = arrays.first(where: { parameter($0.name) == nil }) {
      throw RunError(
        "\(path): parameter '\(extra.name.printable)' is not part of this model. "
          + "It is a checkpoint of another model: use its own configuration, or another run folder.")
    }
  }
}

extension OptimizerConfiguration {
  func make(count: Int, in memory: any VectorMemory) -> any Optimizer {
    switch kind {
    case .adam:
      Numerics.Adam(
        count: count, beta1: Float(adam.beta1), beta2: Float(adam.beta2), epsilon: Float(adam.epsilon),
        in: memory)
    case .rmsprop:
      Numerics.RMSProp(
        count: count, decay: Float(rmsprop.decay), momentum: Float(rmsprop.momentum), epsilon: Float(rmsprop.epsilon),
        in: memory)
    }
  }
}
