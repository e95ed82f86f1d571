import Foundation
import Numerics

/// A sample of N(location, L L^T) in four dimensions with L = diag(scale) (C + I) (sections 3.1 and 4.3).
///
/// C is lower triangular, built from ten trainable numbers in the order of `template`. The log
/// density follows from the noise: -|noise|^2 / 2 - sum log(scale_i |1 + C_ii|) - 2 log 2 pi.
package struct CorrelatedNormalSample: ExampledOperation {
  let location: Tensor
  let scale: Tensor
  /// The ten numbers for each microbatch, [microbatches, 10].
  let cholesky: Tensor
  let noise: Tensor
  /// The microbatch of each row.
  let microbatches: Index?
  let x: Tensor
  let logDensity: Tensor

  /// Which of the ten numbers is at each position of the lower triangle, row by row.
  static let template: [(row: Int, column: Int, number: Int)] = [
    (0, 0, 4), (1, 0, 8), (1, 1, 9), (2, 0, 7), (2, 1, 6), (2, 2, 5), (3, 0, 3), (3, 1, 2), (3, 2, 1), (3, 3, 0),
  ]

  package func backward(_ products: MatrixProduct) {
    let dLocation = location.gradients!
    let dScale = scale.gradients!
    for row in 0..<x.rows {
      let dx = x.gradients! + row * x.stride
      let dLog = logDensity.gradients![row]
      let microbatch = microbatches?[row] ?? 0
      let dCholesky = cholesky.gradients! + microbatch * cholesky.stride
      for i in 0..<4 {
        dLocation[row * location.stride + i] += dx[i]
        // x_i = location_i + scale_i (noise_i + sum_j C_ij noise_j)
        dScale[row * scale.stride + i] += dx[i] * noise[row, i] - dLog / scale[row, i]
      }
      for (i, j, number) in Self.template {
        let c = cholesky[microbatch, number]
        dScale[row * scale.stride + i] += dx[i] * c * noise[row, j]
        dCholesky[number] += dx[i] * scale[row, i] * noise[row, j]
        if i == j { dCholesky[number] -= dLog / (1 + c) }
      }
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let location = inputs.tensor(3, 4)
    let scale = inputs.tensor(3, 4, in: 0.5...1.5)
    let cholesky = inputs.tensor(1, 10, in: -0.5...0.5)
    let sample = tape.sampleCorrelatedNormal(
      location: location, scale: scale, cholesky: cholesky, noise: inputs.constant(3, 4))
    return [sample.x, sample.logDensity]
  }
}

extension Tape {
  /// A sample [rows, 4] and its log density [rows, 1]; `cholesky` is [microbatches, 10], `noise` standard normal [rows, 4].
  public func sampleCorrelatedNormal(
    location: Tensor, scale: Tensor, cholesky: Tensor, noise: Tensor, into destination: Tensor? = nil,
    logDensityInto logDestination: Tensor? = nil
  ) -> (x: Tensor, logDensity: Tensor) {
    precondition(
      location.columns == 4 && scale.columns == 4 && noise.columns == 4 && cholesky.columns == 10
        && cholesky.rows == microbatchCount,
      "sampleCorrelatedNormal: where has four elements and its template ten")
    let x = destination ?? tensor(rows: location.rows, columns: 4)
    let logDensity = logDestination ?? tensor(rows: location.rows, columns: 1)
    // The copies of all microbatches are alike.
    var templateLogDeterminant: Float = 0
    for (i, j, number) in CorrelatedNormalSample.template where i == j {
      templateLogDeterminant += log(abs(1 + cholesky[0, number]))
    }
    for row in 0..<x.rows {
      var total = -templateLogDeterminant - 2 * Float(log(2 * Double.pi))
      for i in 0..<4 {
        x[row, i] = location[row, i] + scale[row, i] * noise[row, i]
        total -= 0.5 * noise[row, i] * noise[row, i] + log(scale[row, i])
      }
      for (i, j, number) in CorrelatedNormalSample.template {
        x[row, i] += scale[row, i] * cholesky[0, number] * noise[row, j]
      }
      logDensity[row, 0] = total
    }
    record(
      CorrelatedNormalSample(
        location: location, scale: scale, cholesky: cholesky, noise: noise, microbatches: rowMicrobatches, x: x,
        logDensity: logDensity))
    return (x, logDensity)
  }
}
