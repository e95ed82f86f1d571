import Foundation
import Numerics

/// A sample of N(location, L L^T) in four dimensions with L = diag(scale) (C + I) (sections 3.1 and 4.3).
///
/// C is lower triangular, built from ten trainable numbers in the order of `template`. The log
/// density follows from the noise: -|noise|^2 / 2 - sum log(scale_i |1 + C_ii|) - 2 log 2 pi.
///
/// The derivative of that is total: the path through x and the score, which is the derivative by location, scale and C
/// at fixed x. Where the tape `dropsScoreTerms`, the score is left out; what reaches x is then
/// g = dx - dlog L^-T noise, and nothing else comes from the log density.
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
  let dropsScore: Bool

  /// Which of the ten numbers is at each position of the lower triangle, row by row.
  static let template: [(row: Int, column: Int, number: Int)] = [
    (0, 0, 4), (1, 0, 8), (1, 1, 9), (2, 0, 7), (2, 1, 6), (2, 2, 5), (3, 0, 3), (3, 1, 2), (3, 2, 1), (3, 3, 0),
  ]

  package func backward(_ products: MatrixProduct) {
    let dLocation = location.gradients!
    let dScale = scale.gradients!
    for row in 0..<x.rows {
      let microbatch = microbatches?[row] ?? 0
      var (dx, dLog) = (gradient(ofRow: row), logDensity.gradients![row])
      if dropsScore {
        let toX = whitened(row, microbatch: microbatch)
        for i in 0..<4 { dx[i] -= dLog * toX[i] }
        dLog = 0
      }
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

  private func gradient(ofRow row: Int) -> SIMD4<Float> {
    let dx = x.gradients! + row * x.stride
    return SIMD4(dx[0], dx[1], dx[2], dx[3])
  }

  /// L^-T noise, which is minus the derivative of the log density by x at fixed moments.
  private func whitened(_ row: Int, microbatch: Int) -> SIMD4<Float> {
    let c = cholesky.values + microbatch * cholesky.stride
    // (C + I)^T u = noise from the last element up, in the numbers of `template`; then u / scale.
    let u3 = noise[row, 3] / (1 + c[0])
    let u2 = (noise[row, 2] - c[1] * u3) / (1 + c[5])
    let u1 = (noise[row, 1] - c[2] * u3 - c[6] * u2) / (1 + c[9])
    let u0 = (noise[row, 0] - c[3] * u3 - c[7] * u2 - c[8] * u1) / (1 + c[4])
    return SIMD4(u0 / scale[row, 0], u1 / scale[row, 1], u2 / scale[row, 2], u3 / scale[row, 3])
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
  /// A sample [rows, 4] and its log density [rows, 1]; `cholesky` is [microbatches, 10], `noise` standard normal [rows,
  /// 4].
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
        logDensity: logDensity, dropsScore: dropsScoreTerms))
    return (x, logDensity)
  }
}
