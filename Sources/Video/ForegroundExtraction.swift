/// Turns frames of a camera that does not move into bright objects on black.
///
/// With d the largest absolute difference over the three colours between frame and background, a pixel is foreground
/// where d > threshold. The mask is opened and dilated, and components that are too small, too flat or too high in the
/// picture are dropped. The result is clip((d − offset) / gain, 0, 1) inside of the mask and 0 outside.
public struct ForegroundExtraction: Sendable {
  public let background: Background
  public let settings: ForegroundSettings

  public init(background: Background, settings: ForegroundSettings = ForegroundSettings()) {
    self.background = background
    self.settings = settings
  }

  /// - Parameter frame: of the size of the background.
  public func extract(_ frame: VideoFrame) -> Foreground {
    let (height, width) = (background.height, background.width)
    precondition(frame.height == height && frame.width == width, "Frame and background differ in size.")
    let count = height * width
    var difference = [Float](repeating: 0, count: count)
    frame.pixels.withUnsafeBufferPointer { pixels in
      background.values.withUnsafeBufferPointer { background in
        for pixel in 0..<count {
          var largest: Float = 0
          for color in 3 * pixel..<3 * pixel + 3 {
            largest = max(largest, abs(Float(pixels[color]) - background[color]))
          }
          difference[pixel] = largest
        }
      }
    }
    let thresholded = difference.map { $0 > settings.threshold }
    let opened = Morphology.opened(thresholded, height: height, width: width, by: (settings.opening, settings.opening))
    let cleaned = Morphology.dilated(opened, height: height, width: width, by: (settings.dilation, settings.dilation))
    let found = ConnectedComponents(of: cleaned, height: height, width: width)
    let isKept = found.components.map(keeps)
    let mask = found.labels.map { $0 >= 0 && isKept[Int($0)] }
    let values = zip(difference, mask).map { difference, isForeground in
      isForeground ? min(1, max(0, (difference - settings.offset) / settings.gain)) : 0
    }
    return Foreground(
      height: height, width: width, values: values, mask: mask,
      components: zip(found.components, isKept).filter(\.1).map(\.0),
      dropped: zip(found.components, isKept).filter { !$1 }.map(\.0), difference: difference, thresholded: thresholded,
      cleaned: cleaned)
  }

  private func keeps(_ component: ConnectedComponents.Component) -> Bool {
    component.area >= settings.smallestArea
      && Float(component.width) <= settings.widestAspect * Float(component.height)
      && component.y + component.height >= settings.ignoredRows
  }
}

/// What moves in one frame, and the stages in which it was found. All arrays are `[H, W]`.
public struct Foreground: Sendable {
  public let height: Int
  public let width: Int
  /// Brightness of what moves, 0 to 1; 0 outside of the mask.
  public let values: [Float]
  /// Where something moves: the components that were kept.
  public let mask: [Bool]
  /// The components that were kept.
  public let components: [ConnectedComponents.Component]
  /// The components that were dropped.
  public let dropped: [ConnectedComponents.Component]
  /// Stage 1: largest difference of colour from the background, 0 to 255.
  public let difference: [Float]
  /// Stage 2: where the difference is above the threshold.
  public let thresholded: [Bool]
  /// Stage 3: opened and dilated, with all components.
  public let cleaned: [Bool]
}
