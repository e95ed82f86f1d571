import CKernels
import Foundation
import Numerics

/// log N(frame; mean, deviation), summed over the pixels of each row.
package struct ImageLogDensity: ExampledOperation {
  let means: Tensor
  let frames: Tensor
  let frame: Index
  let standardDeviation: Float
  let logDensity: Tensor

  package func backward(_ products: MatrixProduct) {
    let factor = 1 / (standardDeviation * standardDeviation)
    for row in 0..<means.rows {
      kernel_bare_backward(
        frames.values + frame[row] * frames.stride, means.values + row * means.stride, 1,
        factor * logDensity.gradients![row], means.gradients! + row * means.stride, Int64(means.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [
      tape.imageLogDensity(
        inputs.constant(2, 6, in: 0...1), at: inputs.index([1, 0, 1]), means: inputs.tensor(3, 6, in: 0...1),
        standardDeviation: 0.7)
    ]
  }
}

extension Tape {
  /// log p(frame) [rows, 1] of the frames [*, H W] with the row numbers `frame` about their means [rows, H W].
  public func imageLogDensity(
    _ frames: Tensor, at frame: Index, means: Tensor, standardDeviation: Float
  ) -> Tensor {
    precondition(
      frames.columns == means.columns && frame.count == means.rows,
      "imageLogDensity: frames [\(frames.rows), \(frames.columns)], means [\(means.rows), \(means.columns)]")
    let variance = Double(standardDeviation) * Double(standardDeviation)
    let normalizer = Double(means.columns) * (log(Double(standardDeviation)) + 0.5 * log(2 * Double.pi))
    let logDensity = tensor(rows: means.rows, columns: 1)
    for row in 0..<means.rows {
      // The mean is the whole image, as if nothing covered a background.
      let squares = kernel_bare_squares(
        frames.values + frame[row] * frames.stride, means.values + row * means.stride, 1, Int64(means.columns))
      logDensity[row, 0] = Float(-0.5 * squares / variance - normalizer)
    }
    record(
      ImageLogDensity(
        means: means, frames: frames, frame: frame, standardDeviation: standardDeviation, logDensity: logDensity))
    return logDensity
  }
}
