import CKernels
import Numerics

/// Sizes of images and glimpses, and the smallest box scale.
public struct GlimpseGeometry: BitwiseCopyable, Equatable, Sendable {
  /// In pixels.
  public let imageHeight: Int
  /// In pixels.
  public let imageWidth: Int
  /// In cells of the glimpse.
  public let glimpseHeight: Int
  /// In cells of the glimpse.
  public let glimpseWidth: Int
  /// As a fraction of the image's height or width.
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
}
