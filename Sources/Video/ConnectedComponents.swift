/// The connected parts of a mask.
///
/// Pixels that touch at a side or at a corner are connected. Components are numbered in the order of their first pixel,
/// row by row.
public struct ConnectedComponents: Sendable {
  /// One connected part: its bounding box and its size, in pixels.
  public struct Component: Sendable, Equatable {
    /// Row of its top and column of its left edge.
    public let y: Int
    public let x: Int
    public let height: Int
    public let width: Int
    /// Number of pixels.
    public let area: Int

    public init(y: Int, x: Int, height: Int, width: Int, area: Int) {
      (self.y, self.x, self.height, self.width, self.area) = (y, x, height, width, area)
    }
  }

  /// `[H, W]`: index of the component at each pixel, -1 outside of all.
  public private(set) var labels: [Int32]
  public private(set) var components: [Component] = []

  /// Finds the components of a mask `[H, W]`.
  public init(of mask: [Bool], height: Int, width: Int) {
    precondition(mask.count == height * width, "A mask of \(height) x \(width) has \(height * width) values.")
    labels = [Int32](repeating: -1, count: mask.count)
    var pending: [Int] = []
    for start in mask.indices where mask[start] && labels[start] < 0 {
      let label = Int32(components.count)
      var (top, bottom, left, right, area) = (height, -1, width, -1, 0)
      labels[start] = label
      pending.append(start)
      while let pixel = pending.popLast() {
        let (row, column) = (pixel / width, pixel % width)
        (top, bottom) = (min(top, row), max(bottom, row))
        (left, right) = (min(left, column), max(right, column))
        area += 1
        for y in max(0, row - 1)...min(height - 1, row + 1) {
          for x in max(0, column - 1)...min(width - 1, column + 1) {
            let neighbour = y * width + x
            guard mask[neighbour], labels[neighbour] < 0 else { continue }
            labels[neighbour] = label
            pending.append(neighbour)
          }
        }
      }
      components.append(Component(y: top, x: left, height: bottom - top + 1, width: right - left + 1, area: area))
    }
  }
}
