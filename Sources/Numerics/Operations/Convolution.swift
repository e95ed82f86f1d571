import CKernels

/// The layout of images in the rows of a tensor: line after line, pixel after pixel, and of each pixel the channels.
public struct ImageGrid: BitwiseCopyable, Equatable, Sendable {
  public let height: Int
  public let width: Int
  public let channels: Int

  public init(height: Int, width: Int, channels: Int = 1) {
    (self.height, self.width, self.channels) = (height, width, channels)
  }

  public var elements: Int { height * width * channels }
  public var pixels: Int { height * width }

  /// Half as high and wide, rounded up: the images that a convolution makes.
  public func halved(channels: Int) -> ImageGrid {
    ImageGrid(height: (height + 1) / 2, width: (width + 1) / 2, channels: channels)
  }

  var kernel: kernel_image_grid {
    kernel_image_grid(height: Int32(height), width: Int32(width), channels: Int32(channels))
  }
}

/// Patches of 3 x 3 pixels around every second pixel of every second line, one a row: the inputs of a convolution.
package struct Patches: ExampledOperation {
  let images: Tensor
  let grid: ImageGrid
  let patches: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let gradients = images.gradients else { return }
    if images.feedsOneProduct {
      for row in 0..<images.rows { (gradients + row * images.stride).update(repeating: 0, count: images.columns) }
    }
    kernel_place_patches(
      patches.gradients!, grid.kernel, Int64(images.rows), gradients, Int64(images.stride))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let odd = ImageGrid(height: 5, width: 3, channels: 2)
    let even = ImageGrid(height: 4, width: 6)
    let weight = inputs.tensor(9, 2)
    let bias = inputs.tensor(1, 2)
    let small = tape.convolve(inputs.tensor(2, 24), even, weight: weight, bias: bias, activation: .tanh)
    let next = tape.convolve(
      small, even.halved(channels: 2), weight: inputs.tensor(18, 3), bias: inputs.tensor(1, 3),
      activation: .elu)
    let direct = tape.convolve(
      inputs.tensor(2, 30), odd, weight: inputs.tensor(18, 2), bias: bias, activation: .identity)
    return [next, direct]
  }
}

/// Adds patches to images, at the positions that `Patches` takes them from: its transpose.
package struct PlacedPatches: ExampledOperation {
  let patches: Tensor
  let grid: ImageGrid
  let images: Tensor

  package func backward(_ products: MatrixProduct) {
    kernel_patches(
      images.gradients!, Int64(images.stride), grid.kernel, Int64(images.rows), patches.gradients!)
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let grid = ImageGrid(height: 5, width: 4, channels: 2)
    return [
      tape.convolveTransposed(
        inputs.tensor(2, 3 * 2 * 3), to: grid, weight: inputs.tensor(3, 18), bias: inputs.tensor(1, 2),
        activation: .tanh),
      tape.convolveTransposed(inputs.tensor(2, 6), to: ImageGrid(height: 5, width: 4), weight: inputs.tensor(1, 9)),
    ]
  }
}

extension Tape {
  /// A convolution of 3 x 3 pixels with a step of two and a border of zeros: images of half the height and width.
  ///
  /// The convolution is one product over all patches, so that its weight is packed, and its gradient summed microbatch
  /// by microbatch, like any other.
  ///
  /// - Parameters:
  ///   - images: [rows, elements of `grid`].
  ///   - weight: [9 channels, new channels]; the inputs are line after line, pixel after pixel of a patch.
  ///   - feedsOneProduct: whether one product, or one convolution, alone reads the result.
  /// - Returns: [rows, elements of `grid.halved(channels:)`].
  public func convolve(
    _ images: Tensor, _ grid: ImageGrid, weight: Tensor, bias: Tensor, activation: Activation,
    feedsOneProduct: Bool = false
  ) -> Tensor {
    precondition(
      images.columns == grid.elements && weight.rows == 9 * grid.channels,
      "convolve: images [\(images.rows), \(images.columns)] and weight [\(weight.rows), \(weight.columns)] do not fit")
    let new = grid.halved(channels: weight.columns)
    let patches = tensor(rows: images.rows * new.pixels, columns: weight.rows, feedsOneProduct: true)
    kernel_patches(images.values, Int64(images.stride), grid.kernel, Int64(images.rows), patches.values)
    record(Patches(images: images, grid: grid, patches: patches))
    return withRowsOfPixels(new.pixels) {
      affine(patches * weight, bias: bias, activation: activation, feedsOneProduct: feedsOneProduct)
    }.reshaped(rows: images.rows, columns: new.elements)
  }

  /// The transpose of a convolution: images of twice the height and width.
  ///
  /// - Parameters:
  ///   - images: [rows, elements], as a convolution makes them of images on `grid`.
  ///   - grid: that of the result.
  ///   - weight: [channels, 9 new channels].
  /// - Returns: [rows, elements of `grid`].
  public func convolveTransposed(
    _ images: Tensor, to grid: ImageGrid, weight: Tensor, bias: Tensor? = nil, activation: Activation = .identity
  ) -> Tensor {
    let old = grid.halved(channels: weight.rows)
    precondition(
      images.columns == old.elements && weight.columns == 9 * grid.channels,
      "convolveTransposed: images [\(images.rows), \(images.columns)] and weight [\(weight.rows), \(weight.columns)] "
        + "do not fit")
    let patches = withRowsOfPixels(old.pixels) {
      affine(
        images.reshaped(rows: images.rows * old.pixels, columns: old.channels) * weight, feedsOneProduct: true)
    }
    let placed = zeros(rows: images.rows, columns: grid.elements)
    kernel_place_patches(patches.values, grid.kernel, Int64(images.rows), placed.values, Int64(placed.stride))
    record(PlacedPatches(patches: patches, grid: grid, images: placed))
    guard let bias else { return placed }
    return withRowsOfPixels(grid.pixels) {
      affine(
        nil, bias: bias, adding: placed.reshaped(rows: images.rows * grid.pixels, columns: grid.channels),
        activation: activation)
    }.reshaped(rows: images.rows, columns: grid.elements)
  }

  /// Runs an operation in which every row is replaced by so many pixels, each of the row's microbatch.
  private func withRowsOfPixels(_ pixels: Int, _ operation: () -> Tensor) -> Tensor {
    let microbatches = rowMicrobatches.map { rows in index(count: rows.count * pixels) { rows[$0 / pixels] } }
    return withRowMicrobatches(microbatches, operation)
  }
}
