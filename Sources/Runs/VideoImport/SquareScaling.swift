/// Scales square pictures.
package enum SquareScaling {
  /// The sources of one row or column of the result, with weights that add up to 1.
  private typealias Weights = [(index: Int, weight: Float)]

  /// A picture of `to` x `to` from one of `from` x `from`: means of areas when it shrinks, linear between pixel centres
  /// when it grows.
  package static func scaled(_ picture: [UInt8], from: Int, to: Int) -> [UInt8] {
    let weights = (0..<to).map { to < from ? area($0, from, to) : linear($0, from, to) }
    var rows = [Float](repeating: 0, count: from * to)
    for row in 0..<from {
      for column in 0..<to {
        var sum: Float = 0
        for (index, weight) in weights[column] { sum += Float(picture[row * from + index]) * weight }
        rows[row * to + column] = sum
      }
    }
    var result = [UInt8](repeating: 0, count: to * to)
    for row in 0..<to {
      for column in 0..<to {
        var sum: Float = 0
        for (index, weight) in weights[row] { sum += rows[index * to + column] * weight }
        result[row * to + column] = UInt8(min(255, sum + 0.5))
      }
    }
    return result
  }

  private static func area(_ position: Int, _ from: Int, _ to: Int) -> Weights {
    let ratio = Double(from) / Double(to)
    let (start, end) = (Double(position) * ratio, Double(position + 1) * ratio)
    return (Int(start)..<min(from, Int(end.rounded(.up)))).map { index in
      (index, Float((min(end, Double(index + 1)) - max(start, Double(index))) / ratio))
    }
  }

  private static func linear(_ position: Int, _ from: Int, _ to: Int) -> Weights {
    let place = min(Double(from - 1), max(0, (Double(position) + 0.5) * Double(from) / Double(to) - 0.5))
    let index = min(Int(place), max(0, from - 2))
    let weight = Float(place - Double(index))
    return from == 1 ? [(0, 1)] : [(index, 1 - weight), (index + 1, weight)]
  }
}
