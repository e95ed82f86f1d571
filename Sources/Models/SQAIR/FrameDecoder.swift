import Numerics

/// Draws the objects and scores the frames against the drawing (section 6).
package struct FrameDecoder {
  package struct Output: BitwiseCopyable {
    /// The appearance that is drawn of each object, [objects, d].
    package let appearance: Tensor
    /// What each object looks like [objects, cells], already scaled.
    package let glimpses: Tensor
    /// Mean image and written-to mask [N, H W].
    package let mean: PaintedImages
    package let mask: PaintedImages
    /// log p(x_t | z_t), [N, 1].
    package let logLikelihood: Tensor
  }

  /// The parameters that are not weights, once for each microbatch.
  struct Shared: BitwiseCopyable {
    let outputScale: Tensor
    let background: Tensor
  }

  private let images: ImageDecoder
  private let outputScale: Tensor
  private let background: Tensor
  private let geometry: GlimpseGeometry
  private let constants: PaintConstants
  /// Weight of an object's mean appearance in what is drawn of it in its first frame.
  private let drawnMeanWeight: Float

  init(_ configuration: SQAIRConfiguration, in store: ParameterStore) {
    images = ImageDecoder("dec", configuration.glimpseGrid, configuration, in: store)
    outputScale = store["dec.output_scale"]
    let mean = store["dec.mean_img"]
    background = Tensor(
      rows: 1, columns: mean.rows * mean.columns, stride: mean.rows * mean.columns, values: mean.values,
      gradients: mean.gradients)
    geometry = configuration.geometry
    drawnMeanWeight = configuration.drawnMeanWeight
    constants = PaintConstants(
      standardDeviation: configuration.outputStandardDeviation, maskOffset: configuration.maskOffset,
      maskSlope: configuration.maskSlope)
  }

  func shared(on tape: Tape) -> Shared {
    tape.enter(.decoder)
    return Shared(outputScale: tape.perMicrobatch(outputScale), background: tape.perMicrobatch(background))
  }

  /// Draws the objects of a state and scores row n against the frame `image[n]` of `frames`.
  func draw(
    _ state: ObjectState, frames: Tensor, image: Index, shared: Shared, microbatches: RowMicrobatches, on tape: Tape
  ) -> Output {
    tape.enter(.decoder)
    let appearance = drawnAppearance(of: state, on: tape)
    let glimpses = tape.withRowMicrobatches(microbatches.of(state.rows, on: tape)) {
      tape.scale(tape.images(of: appearance, images), by: shared.outputScale)
    }
    tape.enter(.likelihood)
    let painted = tape.withRowMicrobatches(microbatches.rows) {
      tape.paint(
        glimpses: glimpses, where: state.whereLogits, objects: state.objects, slots: state.slots, frames: frames,
        at: image, background: shared.background, geometry, constants)
    }
    return Output(
      appearance: appearance, glimpses: glimpses, mean: painted.mean, mask: painted.mask,
      logLikelihood: painted.logLikelihood)
  }

  /// The appearance that is drawn of each object, [objects, d]: that of the frame, and the mean one by its weight.
  private func drawnAppearance(of state: ObjectState, on tape: Tape) -> Tensor {
    guard drawnMeanWeight > 0, let appearance = state.meanAppearance else { return state.what }
    return appearance.joined(with: state.what, weight: drawnMeanWeight, on: tape)
  }

  /// Draws a state that has no frame to be compared with.
  func draw(_ state: ObjectState, shared: Shared, on tape: Tape) -> Output {
    let blank = tape.constant(rows: 1, columns: geometry.imagePixels)
    blank.values.update(repeating: 0, count: blank.columns)
    let image = tape.index(count: state.rowCount)
    image.base.update(repeating: 0, count: state.rowCount)
    return draw(state, frames: blank, image: image, shared: shared, microbatches: RowMicrobatches(rows: nil), on: tape)
  }
}
