import Models
import Numerics
import Runs
import Storage
import Training

/// Computes examples of a batch one by one, each as a microbatch of its own, and searches for values that are not
/// finite.
struct ExampleReplay {
  private let state: TrainingState
  private let plan: UpdatePlan
  private let layout: MicrobatchLayout
  private let file: SequenceSet
  private let replica: Replica
  private let check = FiniteCheck()

  init(_ state: TrainingState, _ settings: TrainingConfiguration, _ plan: UpdatePlan, _ file: SequenceSet) {
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
    // Gradients of the previous example must not be attributed to this one.
    state.model.parameters.clearGradients()
    var sums = MicrobatchSums(layout)
    replica.accumulateGradients(of: alone, microbatches: position..<position + 1, in: layout, plan, into: &sums)
    let gradient = state.model.parameters.partialGradients[0]
    return ReplayReport.Example(
      example: position, microbatch: microbatch, sequence: sequence, loss: replica.losses[0],
      gradientNorm: gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(),
      firstNotFinite: check.finding.map(ReplayReport.NonFiniteValue.init),
      gradientsNotFinite: state.model.parameters.namesNotFinite(in: gradient))
  }
}

extension ParameterStore {
  /// Names of the parameters with values in a buffer that are not finite.
  func namesNotFinite(in buffer: UnsafeMutableBufferPointer<Float>) -> [String] {
    parameters.filter { !read($0, from: UnsafeBufferPointer(buffer)).allSatisfy(\.isFinite) }.map(\.name)
  }
}
