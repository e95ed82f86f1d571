import Numerics
import Testing

/// Convolutions against sums that are written out. Their gradients are checked with those of all operations.
@Suite struct ConvolutionTests {
  private let tape = Tape()

  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var inputs = ExampleInputs(tape: tape, seed: seed)
    return inputs.tensor(rows, columns)
  }

  @Test(arguments: [(4, 6, 1, 3), (5, 3, 2, 4), (1, 1, 3, 2), (7, 2, 1, 1)])
  func aConvolutionIsItsSum(height: Int, width: Int, channels: Int, new: Int) {
    let grid = ImageGrid(height: height, width: width, channels: channels)
    let images = random(3, grid.elements, seed: 1)
    let weight = random(9 * channels, new, seed: 2)
    let bias = random(1, new, seed: 3)
    let result = tape.convolve(images, grid, weight: weight, bias: bias, activation: .identity)
    let halved = grid.halved(channels: new)
    #expect(halved == ImageGrid(height: (height + 1) / 2, width: (width + 1) / 2, channels: new))
    #expect(result.rows == 3 && result.columns == halved.elements)
    for row in 0..<3 {
      for y in 0..<halved.height {
        for x in 0..<halved.width {
          for channel in 0..<new {
            var sum = Double(bias[0, channel])
            for dy in 0..<3 {
              for dx in 0..<3 {
                let (v, u) = (2 * y - 1 + dy, 2 * x - 1 + dx)
                guard (0..<height).contains(v), (0..<width).contains(u) else { continue }
                for old in 0..<channels {
                  sum +=
                    Double(images[row, (v * width + u) * channels + old])
                    * Double(weight[(dy * 3 + dx) * channels + old, channel])
                }
              }
            }
            #expect(abs(Double(result[row, (y * halved.width + x) * new + channel]) - sum) < 1e-5)
          }
        }
      }
    }
  }

  /// <conv(x), y> = <x, transposed(y)> for weights that are transposed too.
  @Test(arguments: [(4, 6, 1, 3), (5, 3, 2, 4), (13, 7, 2, 2)])
  func theTransposeIsTheTranspose(height: Int, width: Int, channels: Int, new: Int) {
    let grid = ImageGrid(height: height, width: width, channels: channels)
    let halved = grid.halved(channels: new)
    let weight = random(9 * channels, new, seed: 2)
    let transposed = tape.tensor(rows: new, columns: 9 * channels)
    for row in 0..<9 * channels {
      for column in 0..<new { transposed[column, row] = weight[row, column] }
    }
    let none = tape.tensor(rows: 1, columns: new)
    for column in 0..<new { none[0, column] = 0 }
    let x = random(2, grid.elements, seed: 4)
    let y = random(2, halved.elements, seed: 5)
    let forward = tape.convolve(x, grid, weight: weight, bias: none, activation: .identity)
    let back = tape.convolveTransposed(y, to: grid, weight: transposed)
    func product(_ a: Tensor, _ b: Tensor) -> Double {
      zip(a.array, b.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    #expect(back.rows == 2 && back.columns == grid.elements)
    #expect(abs(product(forward, y) - product(x, back)) < 1e-4)
    #expect(abs(product(forward, y)) > 1e-3)
  }

  /// A row's image does not depend on its neighbours, nor does it matter to which microbatches they belong.
  @Test func rowsAreIndependent() {
    let grid = ImageGrid(height: 9, width: 8)
    let images = random(5, grid.elements, seed: 1)
    let (weight, bias) = (random(9, 16, seed: 2), random(1, 16, seed: 3))
    let all = tape.convolve(images, grid, weight: weight, bias: bias, activation: .elu).array
    let size = all.count / 5
    for row in 0..<5 {
      let alone = tape.convolve(
        images.slice(rows: row..<row + 1), grid, weight: weight, bias: bias, activation: .elu)
      #expect(alone.array == Array(all[row * size..<(row + 1) * size]))
    }
  }
}
