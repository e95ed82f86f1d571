import CKernels
import Foundation
import Numerics

/// Pastes objects onto canvases and scores the frames (section 6): mean = canvas + background M.
///
/// Where no object is, the mask is a constant, so mean and score follow from the frame and the background. These bare
/// pixels are summed up once for consecutive rows that look at the same frame; a row computes only the window of the
/// image that its objects can touch, and what the window's pixels give more than when bare.
package struct Paint: ExampledOperation {
  let geometry: GlimpseGeometry
  let glimpses: Tensor
  let whereLogits: Tensor
  /// For row n and slot k at n slots + k: the object there, or -1.
  let objects: Index
  let slots: Int
  let frames: Tensor
  let frame: Index
  /// The mean image for each microbatch, [microbatches, H W].
  let background: Tensor
  /// The microbatch of each row.
  let microbatches: Index?
  let constants: PaintConstants
  let windows: PaintWindows
  /// Mean images and masks of all windows, [2, pixels].
  let painted: Tensor
  /// Two images of the largest window as working memory for the backward pass.
  let scratch: Tensor
  let logLikelihood: Tensor

  package func backward(_ products: MatrixProduct) {
    let factor = 1 / (constants.standardDeviation * constants.standardDeviation)
    for rows in FrameRuns(frame, microbatches) {
      let (image, mean, gradient) = images(of: rows.lowerBound)
      kernel_bare_backward(
        image, mean, constants.bareMask, factor * rows.reduce(0) { $0 + logLikelihood.gradients![$1] }, gradient!,
        Int64(geometry.imagePixels))
      for row in rows where !windows.isEmpty(row) {
        kernel_paint_backward(
          geometry.kernel, windows[row], image, mean, gradient!, painted.values + windows.start(row),
          painted.values + painted.stride + windows.start(row), constants.maskOffset, constants.maskSlope,
          factor * logLikelihood.gradients![row], scratch.values, scratch.values + scratch.stride)
        forEachObject(of: row) { object in
          kernel_paste_backward(
            geometry.kernel, glimpses.values + object * glimpses.stride,
            glimpses.gradients! + object * glimpses.stride, whereLogits.values + object * whereLogits.stride,
            whereLogits.gradients! + object * whereLogits.stride, windows[row], scratch.values,
            scratch.values + scratch.stride)
        }
      }
    }
  }

  /// Draws the windows and scores the rows.
  func forward() {
    painted.values.update(repeating: 0, count: 2 * painted.stride)
    let variance = Double(constants.standardDeviation) * Double(constants.standardDeviation)
    let normalizer = Double(geometry.imagePixels) * constants.logNormalizer
    for rows in FrameRuns(frame, microbatches) {
      let (image, mean, _) = images(of: rows.lowerBound)
      let bare = kernel_bare_squares(image, mean, constants.bareMask, Int64(geometry.imagePixels))
      for row in rows {
        var squares = bare
        if !windows.isEmpty(row) {
          let canvas = painted.values + windows.start(row)
          let coverage = canvas + painted.stride
          forEachObject(of: row) { object in
            kernel_paste(
              geometry.kernel, glimpses.values + object * glimpses.stride,
              whereLogits.values + object * whereLogits.stride, windows[row], canvas, coverage)
          }
          squares += kernel_paint(
            geometry.kernel, windows[row], image, mean, canvas, coverage, constants.maskOffset, constants.maskSlope)
        }
        logLikelihood[row, 0] = Float(-0.5 * squares / variance - normalizer)
      }
    }
  }

  /// The frame that a row is scored against, and the background of its microbatch with its gradient.
  private func images(
    of row: Int
  ) -> (frame: UnsafePointer<Float>, background: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>?) {
    let microbatch = (microbatches?[row] ?? 0) * background.stride
    return (
      UnsafePointer(frames.values + frame[row] * frames.stride), UnsafePointer(background.values + microbatch),
      background.gradients.map { $0 + microbatch }
    )
  }

  /// A pixel of the mean (0) or the mask (1) of a row; nil where it is bare.
  func drawn(_ image: Int, _ row: Int, _ pixel: Int) -> Float? {
    let (y, x) = pixel.quotientAndRemainder(dividingBy: geometry.imageWidth)
    let window = windows[row]
    let (down, right) = (y - Int(window.y), x - Int(window.x))
    guard (0..<Int(window.height)).contains(down), (0..<Int(window.width)).contains(right) else { return nil }
    return painted[image, windows.start(row) + down * Int(window.width) + right]
  }

  private func forEachObject(of row: Int, _ body: (Int) -> Void) {
    for slot in 0..<slots {
      let object = objects[row * slots + slot]
      guard object >= 0 else { break }
      body(object)
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
  /// The mask where no object is.
  let bareMask: Float
  /// log of the normal density's normalizer, sqrt(2 pi) times the standard deviation.
  let logNormalizer: Double

  public init(standardDeviation: Float, maskOffset: Float, maskSlope: Float) {
    self.standardDeviation = standardDeviation
    self.maskOffset = maskOffset
    self.maskSlope = maskSlope
    bareMask = kernel_bare_mask(maskOffset)
    logNormalizer = log(Double(standardDeviation)) + 0.5 * log(2 * Double.pi)
  }
}

/// For each row the window of the image that its objects can touch, and where the window's pixels are kept.
struct PaintWindows: BitwiseCopyable {
  /// x, y, width, height and first pixel of each row.
  private let entries: Index
  /// Pixels of all windows, and of the largest.
  let pixels: Int
  let largest: Int

  init(_ geometry: GlimpseGeometry, where whereLogits: Tensor, objects: Index, slots: Int, on tape: Tape) {
    let rows = objects.count / slots
    entries = tape.index(count: 5 * rows)
    var pixels = 0
    var largest = 0
    for row in 0..<rows {
      let first = objects.base + row * slots
      let window = kernel_drawing_window(
        geometry.kernel, whereLogits.values, Int64(whereLogits.stride), first,
        Int64((0..<slots).prefix { first[$0] >= 0 }.count))
      let entry = entries.base + 5 * row
      (entry[0], entry[1], entry[2], entry[3]) = (window.x, window.y, window.width, window.height)
      entry[4] = Int32(pixels)
      let size = Int(window.width) * Int(window.height)
      pixels += size
      largest = max(largest, size)
    }
    self.pixels = pixels
    self.largest = largest
  }

  subscript(row: Int) -> kernel_window {
    let entry = entries.base + 5 * row
    return kernel_window(x: entry[0], y: entry[1], width: entry[2], height: entry[3])
  }

  func isEmpty(_ row: Int) -> Bool { entries.base[5 * row + 2] == 0 }
  func start(_ row: Int) -> Int { Int(entries.base[5 * row + 4]) }
}

/// Runs of consecutive rows that look at the same frame, for the same microbatch.
private struct FrameRuns: Sequence, IteratorProtocol {
  private let frame: Index
  private let microbatches: Index?
  private var position = 0

  init(_ frame: Index, _ microbatches: Index?) {
    self.frame = frame
    self.microbatches = microbatches
  }

  mutating func next() -> Range<Int>? {
    guard position < frame.count else { return nil }
    let first = position
    while position < frame.count, frame.base[position] == frame.base[first],
      microbatches.map({ $0.base[position] == $0.base[first] }) ?? true
    {
      position += 1
    }
    return first..<position
  }
}

/// One image for each row, [rows, H W]: of a painting, where it is computed when it is looked at, or of a tensor.
///
/// Valid, like a tensor, until the tape is reset.
public struct PaintedImages: BitwiseCopyable {
  enum Source: BitwiseCopyable {
    case means(Paint), masks(Paint)
    case whole(Tensor)
  }

  let source: Source
  let firstRow: Int
  public let rows: Int

  init(_ source: Source, rows: Int) { (self.source, firstRow, self.rows) = (source, 0, rows) }

  private init(_ source: Source, firstRow: Int, rows: Int) {
    (self.source, self.firstRow, self.rows) = (source, firstRow, rows)
  }

  /// Images that are there as a whole, [rows, H W].
  public init(_ images: Tensor) { self.init(.whole(images), rows: images.rows) }

  /// The value of a pixel.
  public subscript(row: Int, pixel: Int) -> Float {
    let row = firstRow + row
    switch source {
    case .whole(let images): return images[row, pixel]
    case .means(let painting):
      return painting.drawn(0, row, pixel)
        ?? painting.background[painting.microbatches?[row] ?? 0, pixel] * painting.constants.bareMask
    case .masks(let painting): return painting.drawn(1, row, pixel) ?? painting.constants.bareMask
    }
  }

  private var pixels: Int {
    switch source {
    case .whole(let images): images.columns
    case .means(let painting), .masks(let painting): painting.geometry.imagePixels
    }
  }

  /// The images of the rows in `range`.
  public func slice(rows range: Range<Int>) -> PaintedImages {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows) images")
    return PaintedImages(source, firstRow: firstRow + range.lowerBound, rows: range.count)
  }

  /// A copy of the values, row after row.
  public var array: [Float] {
    (0..<rows).flatMap { row in (0..<pixels).map { self[row, $0] } }
  }
}

extension Tape {
  /// Mean images and written-to masks [rows, H W], and log p(frame | objects) [rows, 1].
  ///
  /// - Parameters:
  ///   - glimpses: [objects, Gh Gw], already scaled.
  ///   - objects: for row n and slot k at n slots + k, the object's number or -1; objects come first.
  ///   - frame: which of `frames` [*, H W] each row is scored against.
  ///   - background: [microbatches, H W], the trainable mean image.
  public func paint(
    glimpses: Tensor, where whereLogits: Tensor, objects: Index, slots: Int, frames: Tensor, at frame: Index,
    background: Tensor, _ geometry: GlimpseGeometry, _ constants: PaintConstants
  ) -> (mean: PaintedImages, mask: PaintedImages, logLikelihood: Tensor) {
    let rows = frame.count
    let pixels = geometry.imagePixels
    precondition(
      objects.count == rows * slots && frames.columns == pixels && background.columns == pixels
        && background.rows == microbatchCount && rowMicrobatches.map { $0.count == rows } ?? true
        && glimpses.columns == geometry.glimpseCells, "paint: sizes do not fit")
    let windows = PaintWindows(geometry, where: whereLogits, objects: objects, slots: slots, on: self)
    let painting = Paint(
      geometry: geometry, glimpses: glimpses, whereLogits: whereLogits, objects: objects, slots: slots,
      frames: frames, frame: frame, background: background, microbatches: rowMicrobatches, constants: constants,
      windows: windows, painted: constant(rows: 2, columns: windows.pixels),
      scratch: constant(rows: 2, columns: windows.largest), logLikelihood: tensor(rows: rows, columns: 1))
    painting.forward()
    record(painting)
    return (
      PaintedImages(.means(painting), rows: rows), PaintedImages(.masks(painting), rows: rows),
      painting.logLikelihood
    )
  }
}
