import CKernels

/// scale = softplus(raw + offset + constant) + minimum, with an optional trainable offset [microbatches, 1].
package struct SoftplusScale: ExampledOperation {
  let raw: Tensor
  let offset: Tensor?
  let constant: Float
  /// The microbatch of each row.
  let microbatches: Index?
  let scale: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let offset, let dOffset = offset.gradients else {
      _ = kernel_softplus_scale_backward(
        raw.values, raw.gradients!, Int64(raw.stride), constant, scale.gradients!, Int64(scale.stride),
        Int64(scale.rows), Int64(scale.columns))
      return
    }
    // Row by row: the order of the sum must not depend on which rows stand side by side.
    for row in 0..<scale.rows {
      let microbatch = microbatches?[row] ?? 0
      dOffset[microbatch * offset.stride] += kernel_softplus_scale_backward(
        raw.values + row * raw.stride, raw.gradients! + row * raw.stride, Int64(raw.stride),
        constant + offset[microbatch, 0], scale.gradients! + row * scale.stride, Int64(scale.stride), 1,
        Int64(scale.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let raw = inputs.tensor(3, 4, in: -3...3)
    let offset = inputs.tensor(1, 1)
    return [tape.softplusScale(raw, offset: offset, plus: -1, minimum: 0.01), tape.softplusScale(raw, minimum: 0.01)]
  }
}

/// x = location + scale noise for a diagonal normal, and log q(x) from the noise (14.1): its value and its total
/// derivative are those of the density at the sample.
///
/// The total derivative is the path through x and the score, the derivative by location and scale at fixed x. Where the
/// tape `dropsScoreTerms`, the score is left out.
package struct NormalSample: ExampledOperation {
  let location: Tensor
  let scale: Tensor
  let noise: Tensor
  let x: Tensor
  let logDensity: Tensor
  let dropsScore: Bool

  package func backward(_ products: MatrixProduct) {
    let kernel = dropsScore ? kernel_normal_sample_pathwise_backward : kernel_normal_sample_backward
    kernel(
      scale.values, scale.gradients!, Int64(scale.stride), noise.values, Int64(noise.stride), x.gradients!,
      Int64(x.stride), logDensity.gradients!, location.gradients, Int64(location.stride), Int64(x.rows),
      Int64(x.columns))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let location = inputs.tensor(3, 4)
    let scale = inputs.tensor(3, 4, in: 0.5...1.5)
    let noise = inputs.constant(3, 4)
    let sample = tape.sampleNormal(location: location, scale: scale, noise: noise)
    return [sample.x, sample.logDensity]
  }
}

/// log N(x; location, scale), summed over columns.
package struct NormalLogDensity: ExampledOperation {
  let x: Tensor
  let location: Tensor
  let scale: Tensor
  let logDensity: Tensor

  package func backward(_ products: MatrixProduct) {
    kernel_normal_log_density_backward(
      x.values, x.gradients!, Int64(x.stride), location.values, location.gradients!, Int64(location.stride),
      scale.values, scale.gradients!, Int64(scale.stride), logDensity.gradients!, Int64(x.rows), Int64(x.columns))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [
      tape.normalLogDensity(
        inputs.tensor(3, 4), location: inputs.tensor(3, 4), scale: inputs.tensor(3, 4, in: 0.5...1.5))
    ]
  }
}

/// log N(x; 0, 1), summed over columns.
package struct StandardNormalLogDensity: ExampledOperation {
  let x: Tensor
  let logDensity: Tensor

  package func backward(_ products: MatrixProduct) {
    for row in 0..<x.rows {
      kernel_add_scaled(
        x.values + row * x.stride, Int64(x.stride), -logDensity.gradients![row], x.gradients! + row * x.stride,
        Int64(x.stride), 1, Int64(x.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.standardNormalLogDensity(inputs.tensor(3, 4))]
  }
}

extension Tape {
  /// softplus(raw + offset + constant) + minimum, shape of `raw`.
  public func softplusScale(
    _ raw: Tensor, offset: Tensor? = nil, plus constant: Float = 0, minimum: Float, into destination: Tensor? = nil
  ) -> Tensor {
    let scale = destination ?? tensor(rows: raw.rows, columns: raw.columns)
    precondition(
      offset.map { $0.columns == 1 && $0.rows == microbatchCount } ?? true,
      "softplusScale: the offset is not [microbatches, 1]")
    // The copies of all microbatches are alike.
    kernel_softplus_scale(
      raw.values, Int64(raw.stride), constant + (offset?[0, 0] ?? 0), minimum, scale.values, Int64(scale.stride),
      Int64(scale.rows), Int64(scale.columns))
    record(SoftplusScale(raw: raw, offset: offset, constant: constant, microbatches: rowMicrobatches, scale: scale))
    return scale
  }

  /// A sample [rows, d] of a diagonal normal and its log density [rows, 1].
  public func sampleNormal(
    location: Tensor, scale: Tensor, noise: Tensor, into destination: Tensor? = nil,
    logDensityInto logDestination: Tensor? = nil
  ) -> (x: Tensor, logDensity: Tensor) {
    precondition(
      location.columns == scale.columns && scale.columns == noise.columns && location.rows == noise.rows,
      "sampleNormal: different shapes")
    let x = destination ?? tensor(rows: location.rows, columns: location.columns)
    let logDensity = logDestination ?? tensor(rows: location.rows, columns: 1)
    kernel_normal_sample(
      location.values, Int64(location.stride), scale.values, Int64(scale.stride), noise.values, Int64(noise.stride),
      x.values, Int64(x.stride), logDensity.values, Int64(x.rows), Int64(x.columns))
    record(
      NormalSample(
        location: location, scale: scale, noise: noise, x: x, logDensity: logDensity, dropsScore: dropsScoreTerms))
    return (x, logDensity)
  }

  /// log N(x; location, scale) summed over columns, [rows, 1].
  public func normalLogDensity(_ x: Tensor, location: Tensor, scale: Tensor) -> Tensor {
    precondition(
      location.columns == x.columns && scale.columns == x.columns && location.rows == x.rows && scale.rows == x.rows,
      "normalLogDensity: different shapes")
    let logDensity = tensor(rows: x.rows, columns: 1)
    kernel_normal_log_density(
      x.values, Int64(x.stride), location.values, Int64(location.stride), scale.values, Int64(scale.stride),
      logDensity.values, Int64(x.rows), Int64(x.columns))
    record(NormalLogDensity(x: x, location: location, scale: scale, logDensity: logDensity))
    return logDensity
  }

  /// log N(x; 0, 1) summed over columns, [rows, 1].
  public func standardNormalLogDensity(_ x: Tensor) -> Tensor {
    let logDensity = tensor(rows: x.rows, columns: 1)
    kernel_standard_normal_log_density(
      x.values, Int64(x.stride), logDensity.values, Int64(x.rows), Int64(x.columns))
    record(StandardNormalLogDensity(x: x, logDensity: logDensity))
    return logDensity
  }
}
