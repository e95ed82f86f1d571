/// A position in a frame, or the difference of two positions, in pixels; y points down.
package struct Point {
  package var y: Double
  package var x: Double

  package init(y: Double, x: Double) { (self.y, self.x) = (y, x) }

  var length: Double { (y * y + x * x).squareRoot() }

  /// The nearest point that is no farther out than the centers of the outermost pixels of a canvas, which is as far as
  /// `where` reaches (section 0).
  func held(height: Int, width: Int) -> Point {
    Point(y: min(max(y, 0.5), Double(height) - 0.5), x: min(max(x, 0.5), Double(width) - 0.5))
  }

  static func - (a: Point, b: Point) -> Point { Point(y: a.y - b.y, x: a.x - b.x) }
}
