import CKernels

/// Sizes of images and glimpses, and the smallest box scale.
public struct GlimpseGeometry: BitwiseCopyable, Equatable, Sendable {
  public let imageHeight: Int
  public let imageWidth: Int
  public let glimpseHeight: Int
  public let glimpseWidth: Int
  public let minimumScale: Float

  public init(imageHeight: Int, imageWidth: Int, glimpseHeight: Int, glimpseWidth: Int, minimumScale: Float) {
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.glimpseHeight = glimpseHeight
    self.glimpseWidth = glimpseWidth
    self.minimumScale = minimumScale
  }

  public var imagePixels: Int { imageHeight * imageWidth }
  public var glimpseCells: Int { glimpseHeight * glimpseWidth }

  var kernel: kernel_geometry {
    kernel_geometry(
      image_height: Int32(imageHeight), image_width: Int32(imageWidth), glimpse_height: Int32(glimpseHeight),
      glimpse_width: Int32(glimpseWidth), minimum_scale: minimumScale)
  }
}

/// Cuts glimpses out of images by bilinear interpolation (3.1).
package struct Crop: ExampledOperation {
  let geometry: GlimpseGeometry
  let images: Tensor
  let image: Index
  let whereLogits: Tensor
  let glimpses: Tensor

  package func backward(_ products: MatrixProduct) {
    kernel_crop_backward(
      geometry.kernel, images.values, images.gradients, image.base, whereLogits.values, whereLogits.gradients,
      Int64(whereLogits.stride), glimpses.gradients!, Int64(glimpses.stride), Int64(glimpses.rows))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let geometry = GlimpseGeometry(
      imageHeight: 7, imageWidth: 6, glimpseHeight: 3, glimpseWidth: 4, minimumScale: 1e-4)
    let images = inputs.tensor(2, 42)
    let whereLogits = inputs.tensor(3, 4, in: -0.4...0.6)
    return [tape.crop(images, at: inputs.index([1, 0, 1]), where: whereLogits, geometry)]
  }
}

/// Pastes objects onto canvases and scores the frames (section 6): mean = canvas + background M.
package struct Paint: ExampledOperation {
  let geometry: GlimpseGeometry
  let glimpses: Tensor
  let whereLogits: Tensor
  /// For row n and slot k at n slots + k: the object there, or -1.
  let objects: Index
  let slots: Int
  let frames: Tensor
  let frame: Index
  /// The mean image for each share, [shares, H W].
  let background: Tensor
  /// The share of each row.
  let shares: Index?
  let appearance: PaintConstants
  let mean: Tensor
  let mask: Tensor
  /// Two images of working memory for the backward pass.
  let scratch: Tensor
  let logLikelihood: Tensor

  package func backward(_ products: MatrixProduct) {
    let pixels = geometry.imagePixels
    let dCanvas = scratch.values
    let dCoverage = scratch.values + pixels
    for row in 0..<logLikelihood.rows {
      let share = (shares?[row] ?? 0) * background.stride
      kernel_paint_backward(
        frames.values + frame[row] * frames.stride, background.values + share, background.gradients! + share,
        mean.values + row * mean.stride, mask.values + row * mask.stride, appearance.maskSlope,
        appearance.standardDeviation, logLikelihood.gradients![row], dCanvas, dCoverage, Int64(pixels))
      for slot in 0..<slots {
        let object = objects[row * slots + slot]
        guard object >= 0 else { break }
        kernel_paste_backward(
          geometry.kernel, glimpses.values + object * glimpses.stride,
          glimpses.gradients! + object * glimpses.stride, whereLogits.values + object * whereLogits.stride,
          whereLogits.gradients! + object * whereLogits.stride, dCanvas, dCoverage)
      }
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let geometry = GlimpseGeometry(
      imageHeight: 7, imageWidth: 6, glimpseHeight: 3, glimpseWidth: 4, minimumScale: 1e-4)
    let painted = tape.paint(
      glimpses: inputs.tensor(3, 12), where: inputs.tensor(3, 4, in: -0.4...0.6),
      objects: inputs.index([1, -1, 0, 2, -1, -1]), slots: 2, frames: inputs.constant(2, 42, in: 0...1),
      at: inputs.index([0, 1, 1]), background: inputs.tensor(1, 42, in: 0...1), geometry,
      PaintConstants(standardDeviation: 0.7, maskOffset: -1, maskSlope: 2))
    return [painted.logLikelihood]
  }
}

/// Constants of the decoder's likelihood (section 1).
public struct PaintConstants: BitwiseCopyable, Sendable {
  let standardDeviation: Float
  let maskOffset: Float
  let maskSlope: Float

  public init(standardDeviation: Float, maskOffset: Float, maskSlope: Float) {
    self.standardDeviation = standardDeviation
    self.maskOffset = maskOffset
    self.maskSlope = maskSlope
  }
}

extension Tape {
  /// Glimpses [rows, Gh Gw] of the images [*, H W] with the row numbers `image`, at the logits `where` [rows, 4].
  public func crop(
    _ images: Tensor, at image: Index, where whereLogits: Tensor, _ geometry: GlimpseGeometry
  ) -> Tensor {
    precondition(
      images.columns == geometry.imagePixels && images.stride == images.columns && whereLogits.columns == 4
        && image.count == whereLogits.rows, "crop: images [\(images.rows), \(images.columns)] do not fit")
    let glimpses = tensor(rows: whereLogits.rows, columns: geometry.glimpseCells)
    kernel_crop(
      geometry.kernel, images.values, image.base, whereLogits.values, Int64(whereLogits.stride), glimpses.values,
      Int64(glimpses.stride), Int64(glimpses.rows))
    record(Crop(geometry: geometry, images: images, image: image, whereLogits: whereLogits, glimpses: glimpses))
    return glimpses
  }

  /// Mean images [rows, H W], written-to masks [rows, H W] and log p(frame | objects) [rows, 1].
  ///
  /// - Parameters:
  ///   - glimpses: [objects, Gh Gw], already scaled.
  ///   - objects: for row n and slot k at n slots + k, the object's number or -1; objects come first.
  ///   - frame: which of `frames` [*, H W] each row is scored against.
  ///   - background: [shares, H W], the trainable mean image.
  public func paint(
    glimpses: Tensor, where whereLogits: Tensor, objects: Index, slots: Int, frames: Tensor, at frame: Index,
    background: Tensor, _ geometry: GlimpseGeometry, _ constants: PaintConstants
  ) -> (mean: Tensor, mask: Tensor, logLikelihood: Tensor) {
    let rows = frame.count
    let pixels = geometry.imagePixels
    precondition(
      objects.count == rows * slots && frames.columns == pixels && background.columns == pixels
        && background.rows == shareCount && rowShares.map { $0.count == rows } ?? true
        && glimpses.columns == geometry.glimpseCells, "paint: sizes do not fit")
    let mean = constant(rows: rows, columns: pixels)
    let mask = constant(rows: rows, columns: pixels)
    let logLikelihood = tensor(rows: rows, columns: 1)
    mean.values.update(repeating: 0, count: rows * pixels)
    mask.values.update(repeating: 0, count: rows * pixels)
    for row in 0..<rows {
      let canvas = mean.values + row * pixels
      let coverage = mask.values + row * pixels
      for slot in 0..<slots {
        let object = objects[row * slots + slot]
        guard object >= 0 else { break }
        kernel_paste(
          geometry.kernel, glimpses.values + object * glimpses.stride,
          whereLogits.values + object * whereLogits.stride, canvas, coverage)
      }
      logLikelihood[row, 0] = kernel_paint(
        frames.values + frame[row] * frames.stride,
        background.values + (rowShares?[row] ?? 0) * background.stride, canvas, coverage, constants.maskOffset,
        constants.maskSlope, constants.standardDeviation, Int64(pixels))
    }
    let scratch = constant(rows: 2, columns: pixels)
    record(
      Paint(
        geometry: geometry, glimpses: glimpses, whereLogits: whereLogits, objects: objects, slots: slots,
        frames: frames, frame: frame, background: background, shares: rowShares, appearance: constants, mean: mean, mask: mask,
        scratch: scratch, logLikelihood: logLikelihood))
    return (mean, mask, logLikelihood)
  }
}
