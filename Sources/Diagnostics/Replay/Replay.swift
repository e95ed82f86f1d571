import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage
import Training

/// Compute an update of a run again, alone and without learning from it.
public struct ReplayRequest: Sendable {
  /// Path of a run's folder, or of a checkpoint file.
  public var path: String
  /// The update, as messages and `metrics.jsonl` count them: 12 is the one that follows 11 finished updates. Nil takes
  /// the one that failed last, or the one after the latest checkpoint.
  public var step: Int?
  /// Path of the training sequences; nil takes that of the run.
  public var data: String?
  /// Microbatches and examples of the batch to compute, from 0; empty takes all.
  public var microbatches: [Int]
  public var examples: [Int]
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    path: String, step: Int? = nil, data: String? = nil, microbatches: [Int] = [], examples: [Int] = [],
    json: Bool = false
  ) {
    self.path = path
    self.step = step
    self.data = data
    self.microbatches = microbatches
    self.examples = examples
    self.json = json
  }
}

/// Computes an update of a run again and prints what it finds, sequence by sequence.
///
/// A run has the same bits on any number of processes, so one process computes what many did. It starts from the state
/// that a failed run has kept, from the checkpoint before the update, or from an earlier one, whose updates it computes
/// again on the way.
public func replay(_ request: ReplayRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let replay = try Replay(request, try Job.alone("replay"))
  print(request.json ? try replay.report.json() : replay.report.text)
}

/// An update that is computed again.
struct Replay {
  let report: ReplayReport

  init(_ request: ReplayRequest, _ communicator: Communicator) throws {
    let source = try ReplaySource(request)
    let configuration = source.configuration
    let settings = configuration.training
    let file = try source.openData(request.data)
    let state = TrainingState(configuration, meanImage: file.mean)
    if let (checkpoint, path) = source.checkpoint { try state.restore(checkpoint, from: path) }

    let loader = try SequenceLoader(file, settings, steps: state.step..<source.step)
    defer { loader.stop() }
    try Self.catchUp(state, settings, to: source.step, loader, communicator)
    let batch = try loader.next()
    let plan = settings.plan(atStep: state.step)
    let layout = MicrobatchLayout(settings, batch: plan.batch)
    let chosen = try Self.examples(request, layout)

    var report = ReplayReport(
      path: request.path, step: source.step, origin: source.origin, microbatches: layout.count, batch: plan.batch,
      frames: batch.frameCount, computedWith: LinearAlgebra.kernels, stateComputedWith: state.kernels)
    report.parametersNotFinite = Self.notFinite(state.model.parameters, state.model.parameters.values)
    let isWhole = chosen.count == plan.batch
    if isWhole {
      try report.add(Self.wholeBatch(batch, state, settings, communicator), logged: source.loggedFigures)
    }
    let alone = ExampleReplay(state, settings, plan, file)
    report.add(
      try chosen.map { try alone.run($0, of: batch, microbatch: layout.microbatch(ofExample: $0)) },
      failure: isWhole ? source.failure : nil)
    self.report = report
  }

  /// Computes the updates between the state and the one that is asked for.
  private static func catchUp(
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
        throw RunError("update \(state.step + 1): \(error). Replay this one: --step \(state.step + 1).")
      }
      progress.update(UInt64(state.step))
      if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
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

  /// The update as the run computed it, up to where it would change the parameters.
  private static func wholeBatch(
    _ batch: SequenceBatch, _ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator
  ) throws -> (sums: StepSums, gradientNorm: Double) {
    let plan = settings.plan(atStep: state.step)
    let layout = MicrobatchLayout(settings, batch: plan.batch)
    let replica = Replica(model: state.model, settings: settings)
    let reduction = GradientReduction(state.model.parameters, layout, communicator)
    var sums = MicrobatchSums(microbatches: layout.count)
    replica.accumulateGradients(of: batch, microbatches: 0..<layout.count, in: layout, plan, into: &sums)
    _ = try reduction.reduceSlice(of: state.model.parameters.partialGradients)
    let norm = try reduction.reduceMetrics(&sums)
    return (sums.total, norm)
  }

  /// Names of the parameters whose numbers in a buffer are not all finite.
  fileprivate static func notFinite(_ store: ParameterStore, _ buffer: UnsafeMutableBufferPointer<Float>) -> [String] {
    store.parameters.filter { !store.read($0, from: UnsafeBufferPointer(buffer)).allSatisfy(\.isFinite) }.map(\.name)
  }
}

/// Computes the examples of a batch one by one, each as a microbatch of its own, and checks all numbers.
private struct ExampleReplay {
  private let state: TrainingState
  private let plan: UpdatePlan
  private let layout: MicrobatchLayout
  private let file: SequenceFile
  private let replica: Replica
  private let check = FiniteCheck()

  init(_ state: TrainingState, _ settings: TrainingConfiguration, _ plan: UpdatePlan, _ file: SequenceFile) {
    var single = settings
    (single.batchSize, single.microbatches) = (plan.batch, plan.batch)
    single.batchSchedule = CountScheduleConfiguration()
    self.state = state
    self.plan = plan
    self.file = file
    layout = MicrobatchLayout(single)
    replica = Replica(model: state.model, settings: single)
    replica.check = check
  }

  func run(_ position: Int, of batch: SequenceBatch, microbatch: Int) throws -> ReplayReport.Example {
    let alone = SequenceBatch()
    let sequence = batch.sequences[position]
    try alone.read([sequence], frameCount: batch.frameCount, from: file)
    check.clear()
    // What a weight has from the example before must not look like something that this one computed.
    state.model.parameters.clearGradients()
    var sums = MicrobatchSums(microbatches: layout.count)
    replica.accumulateGradients(of: alone, microbatches: position..<position + 1, in: layout, plan, into: &sums)
    let gradient = state.model.parameters.partialGradients[0]
    return ReplayReport.Example(
      example: position, microbatch: microbatch, sequence: sequence, loss: replica.losses[0],
      gradientNorm: gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(),
      trouble: check.finding.map(ReplayReport.Trouble.init),
      gradientsNotFinite: Replay.notFinite(state.model.parameters, gradient))
  }
}
