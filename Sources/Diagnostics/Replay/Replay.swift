import Cluster
import Numerics
import Report
import Runs
import Training

/// Recomputes an update of a run and prints the result for each sequence.
///
/// A run has the same bits on any number of processes, so one process suffices. It starts from the state that a failed
/// run has kept, from the checkpoint before the update, or from an earlier one, and then recomputes the updates in
/// between.
public func replayUpdate(_ request: ReplayRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let replay = try Replay(request, try Job.alone("replay"))
  print(request.json ? try replay.report.json() : replay.report.text)
}

/// A recomputed update.
struct Replay {
  let report: ReplayReport

  init(_ request: ReplayRequest, _ communicator: Communicator) throws {
    let source = try ReplaySource(request)
    let configuration = source.configuration
    let settings = configuration.training
    try JobKernels.require(settings.precision, communicator)
    let file = try source.openData(request.data)
    let state = TrainingState(configuration, meanImage: file.mean)
    if let (checkpoint, path) = source.checkpoint {
      // A failed run may have kept a state whose parameters are not finite; the report names them.
      try state.restore(checkpoint, from: path, evenIfNotFinite: true)
    }

    let loader = try SequenceLoader(file, settings, steps: state.step..<source.step)
    defer { loader.stop() }
    try Self.advance(state, settings, to: source.step, loader, communicator)
    let batch = try loader.next()
    let plan = settings.plan(atStep: state.step)
    let layout = MicrobatchLayout(settings, batch: plan.batch)
    let chosen = try Self.examples(request, layout)

    var report = ReplayReport(
      path: request.path, step: source.step, origin: source.origin, microbatches: layout.count, batch: plan.batch,
      frames: batch.frameCount, computedWith: LinearAlgebra.kernels, stateComputedWith: state.kernels)
    report.parametersNotFinite = state.model.parameters.namesNotFinite(in: state.model.parameters.values)
    let isWhole = chosen.count == plan.batch
    if isWhole {
      try report.add(Self.wholeBatch(batch, state, settings, communicator), logged: source.loggedMetrics)
    }
    let alone = ExampleReplay(state, settings, plan, file)
    report.add(
      try chosen.map { try alone.run($0, of: batch, microbatch: layout.microbatch(ofExample: $0)) },
      failure: isWhole ? source.failure : nil)
    self.report = report
  }

  /// Computes the updates between the state and the requested one.
  private static func advance(
    _ state: TrainingState, _ settings: TrainingConfiguration, to target: Int, _ loader: SequenceLoader,
    _ communicator: Communicator
  ) throws {
    guard state.step + 1 < target else { return }
    let progress = ProgressLine(
      label: "replay", total: UInt64(target - 1), unit: "updates", startingAt: UInt64(state.step))
    var step = TrainingStep(state, settings, communicator)
    while state.step + 1 < target {
      do {
        _ = try step.run(try loader.next())
      } catch let error as NonFiniteError {
        throw RunError("update \(state.step + 1): \(error). To replay that one, add --step \(state.step + 1).")
      }
      progress.update(UInt64(state.step))
      try Interrupted.throwIfRequested()
    }
    progress.finish()
  }

  /// Positions in the batch.
  private static func examples(_ request: ReplayRequest, _ layout: MicrobatchLayout) throws -> [Int] {
    func check(_ numbers: [Int], _ name: String, _ count: Int) throws {
      for number in numbers where !(0..<count).contains(number) {
        throw RunError("--\(name) \(number): the batch has \(count) of them. Give numbers from 0 to \(count - 1).")
      }
    }
    try check(request.microbatches, "microbatch", layout.count)
    try check(request.examples, "example", layout.batch)
    guard !request.microbatches.isEmpty || !request.examples.isEmpty else { return Array(0..<layout.batch) }
    let all = request.examples + request.microbatches.flatMap { Array(layout.examples(ofMicrobatch: $0)) }
    return Set(all).sorted()
  }

  /// The update as the run computed it, up to the change of the parameters.
  private static func wholeBatch(
    _ batch: SequenceBatch, _ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator
  ) throws -> (sums: StepSums, gradientNorm: Double) {
    let plan = settings.plan(atStep: state.step)
    let layout = MicrobatchLayout(settings, batch: plan.batch)
    let replica = Replica(model: state.model, settings: settings)
    let reduction = GradientReduction(state.model.parameters, layout, communicator)
    var sums = MicrobatchSums(layout)
    replica.accumulateGradients(of: batch, microbatches: 0..<layout.count, in: layout, plan, into: &sums)
    _ = try reduction.reduceSlice(of: state.model.parameters.partialGradients)
    let norm = try reduction.reduceMetrics(&sums)
    return (sums.total, norm)
  }
}
