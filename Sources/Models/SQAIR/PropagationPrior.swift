import Numerics

/// Where objects go next, before looking: p(z_t | z_{t-1}) of section 4.1, one recurrent unit per object.
package struct PropagationPrior: BitwiseCopyable {
  /// Moments of the objects' next appearance and place, in the order of the state.
  package struct Output: BitwiseCopyable {
    /// The unit's next state [objects, n].
    package let state: Tensor
    /// Presence logit [objects, 1].
    package let logit: Tensor
    package let whereMean: Tensor
    package let whereScale: Tensor
    package let whatMean: Tensor
    package let whatScale: Tensor
  }

  private let unit: GatedRecurrentUnitWeights
  private let head: Dense
  /// Nil if the prior does not use how objects have moved.
  private let velocityGates: Dense?
  let initialState: Tensor
  private let what: Int
  private let stepBias: Float
  private let minimum: Float
  private let isResidual: Bool
  private let meanAppearanceWeight: Float

  init(_ configuration: SQAIRConfiguration, in store: ParameterStore) {
    unit = GatedRecurrentUnitWeights("prop.prior.gru", in: store)
    initialState = store["prop.prior.gru.h0"]
    head = Dense("prop.prior.out", in: store)
    velocityGates = configuration.motionFrames > 0 ? Dense("prop.prior.motion", in: store) : nil
    what = configuration.what
    stepBias = configuration.propagationPriorStepBias
    minimum = configuration.minimumStandardDeviation
    isResidual = configuration.residualPrior
    meanAppearanceWeight = configuration.meanAppearanceWeight
  }

  /// Moments of a state's objects at the next frame; to run in `withRowMicrobatches` of the objects.
  ///
  /// - Parameter limits: on the gradients of the outputs, if there are any.
  func predict(_ state: ObjectState, limits: ObjectGradientLimits?, on tape: Tape) -> Output {
    tape.enter(.propagationPrior)
    let next = tape.gatedRecurrentUnit(tape.join(state.what, state.whereLogits), state: state.prior, unit)
    let outputs = tape.dense(next, head)
    let raw = limits?.limiting(outputs, .priorOutput, on: tape) ?? outputs
    let means = 1..<1 + 4 + what
    let scales = tape.softplusScale(raw.slice(columns: means.upperBound..<raw.columns), minimum: minimum)
    func mean(_ last: Tensor, _ output: Tensor) -> Tensor { isResidual ? tape.scaledSum(last, 1, output, 1) : output }
    return Output(
      state: next, logit: tape.scaledSum(raw.slice(columns: 0..<1), 1, plus: stepBias),
      whereMean: moved(
        mean(state.whereLogits, raw.slice(columns: 1..<5)), raw.slice(columns: 3..<5), state.motion, next, on: tape),
      whereScale: scales.slice(columns: 0..<4),
      whatMean: expected(mean(state.what, raw.slice(columns: 5..<means.upperBound)), state.meanAppearance, on: tape),
      whatScale: scales.slice(columns: 4..<4 + what))
  }

  /// Section 4.6: where objects are expected that move on, corrected by the network's outputs.
  ///
  /// - Parameters:
  ///   - predicted: by the network alone, [objects, 4].
  ///   - correction: of the centre, [objects, 2].
  private func moved(
    _ predicted: Tensor, _ correction: Tensor, _ motion: Motion?, _ state: Tensor, on tape: Tape
  ) -> Tensor {
    guard let motion, let velocityGates else { return predicted }
    let moved = tape.tensor(rows: predicted.rows, columns: predicted.columns)
    let (scales, center) = (0..<2, 2..<4)
    tape.place(predicted.slice(columns: scales), in: moved.slice(columns: scales))
    _ = tape.scaledSum(
      motion.center(movingBy: tape.dense(state, velocityGates, .sigmoid), on: tape), 1, correction, 1,
      into: moved.slice(columns: center))
    return moved
  }

  /// Section 4.4: the predicted appearance and the mean one, by their weights.
  private func expected(_ predicted: Tensor, _ appearance: MeanAppearance?, on tape: Tape) -> Tensor {
    appearance?.joined(with: predicted, weight: meanAppearanceWeight, on: tape) ?? predicted
  }
}
