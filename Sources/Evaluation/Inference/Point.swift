/// A position in a frame, or the difference of two positions, in pixels; y points down.
package struct Point {
  package var y: Double
  package var x: Double

  package init(y: Double, x: Double) { (self.y, self.x) = (y, x) }

  var length: Double { (y * y + x * x).squareRoot() }

  static func - (a: Point, b: Point) -> Point { Point(y: a.y - b.y, x: a.x - b.x) }
}
