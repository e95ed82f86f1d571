import Numerics

/// A video of a camera that does not move: stick figures that walk through the view, with shadows and noise, and their
/// true boxes. A function of its settings alone.
public struct WalkingFigures: Sendable {
  public static let height = 120
  public static let width = 160
  /// Rows and columns of a figure.
  private static let figure = (height: 26, width: 10)

  private struct Walker: Sendable {
    let identity: Int
    let y: Double
    let x: Double
    let speed: Double
    let isIgnored: Bool
  }

  private static let walkers = [
    Walker(identity: 1, y: 40, x: -8, speed: 1.5, isIgnored: false),
    Walker(identity: 2, y: 62, x: 160, speed: -1.25, isIgnored: false),
    Walker(identity: 7, y: 46, x: 80, speed: 1, isIgnored: false),
    Walker(identity: 9, y: 88, x: 40, speed: 0.75, isIgnored: false),
    Walker(identity: 12, y: 90, x: 150, speed: -1.75, isIgnored: true),
    Walker(identity: 15, y: 66, x: -70, speed: 1.75, isIgnored: false),
  ]

  /// A paved ground with sky above it, and noise that is longer than a frame: each frame takes another part of it,
  /// which is faster than new numbers in debug builds.
  private static let ground: (view: [UInt8], noise: [UInt8]) = {
    var random = CounterRandom(seed: 5, purpose: .digits).reader(0)
    var view: [UInt8] = []
    for row in 0..<height {
      for column in 0..<width {
        let grey = row < 26 ? 190 : 120 + 12 * ((row / 9 + column / 13) % 3)
        view += [UInt8(grey - 3), UInt8(grey + 2), UInt8(grey + 7)]
      }
    }
    return (view, (0..<view.count + 997).map { _ in UInt8(random.nextWord() & 7) })
  }()

  public let frameCount: Int

  public init(frames: Int) { frameCount = frames }

  /// Red, green and blue of a frame, `[H, W, 3]`.
  public func frame(_ time: Int) -> [UInt8] {
    let (view, noise) = Self.ground
    let shift = time * 61 % 997
    var pixels = view
    for index in pixels.indices { pixels[index] += noise[index + shift] }
    for walker in Self.walkers { draw(walker, at: time, on: &pixels) }
    return pixels
  }

  private func place(_ walker: Walker, at time: Int) -> (y: Int, x: Int) {
    (Int(walker.y), Int((walker.x + walker.speed * Double(time)).rounded()))
  }

  private func draw(_ walker: Walker, at time: Int, on pixels: inout [UInt8]) {
    let (top, left) = place(walker, at: time)
    let (height, width) = Self.figure
    // The shadow on the ground is weak: a threshold must tell it from the figure.
    for row in height - 3..<height + 2 {
      for column in width - 2..<2 * width {
        change(&pixels, top + row, left + column) { UInt8(Int($0) * 15 / 16) }
      }
    }
    let swing = abs(time % 8 - 4) - 2
    for row in 0..<height {
      let columns: [ClosedRange<Int>] =
        if row < 7 {
          [3...6]
        } else if row < 17 {
          row < 10 ? [1...8] : [0...1, 3...6, 8...9]
        } else {
          [2 - max(0, -swing) * (row - 16) / 8...4, 5...7 + max(0, swing) * (row - 16) / 8]
        }
      for column in columns.joined() where column < width {
        change(&pixels, top + row, left + column) { _ in UInt8(30 + walker.identity * 3) }
      }
    }
  }

  private func change(_ pixels: inout [UInt8], _ row: Int, _ column: Int, _ body: (UInt8) -> UInt8) {
    guard (0..<Self.height).contains(row), (0..<Self.width).contains(column) else { return }
    for color in 0..<3 {
      let index = (row * Self.width + column) * 3 + color
      pixels[index] = body(pixels[index])
    }
  }

  /// The boxes as MOTChallenge writes them: of every figure that is in the view by any part.
  public var truth: String {
    var text = ""
    for time in 0..<frameCount {
      for walker in Self.walkers {
        let (y, x) = place(walker, at: time)
        guard x + Self.figure.width > 0, x < Self.width else { continue }
        text +=
          "\(time + 1),\(walker.identity),\(x + 1),\(y + 1),\(Self.figure.width),\(Self.figure.height),"
          + "\(walker.isIgnored ? 0 : 1),-1,-1,-1\n"
      }
    }
    return text
  }

  /// Encodes the video without loss.
  public func write(to path: String) throws {
    try FFmpeg.encode((0..<frameCount).map(frame), height: Self.height, width: Self.width, to: path)
  }
}
