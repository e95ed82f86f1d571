/// The cheapest way to pair rows with columns, each with one at most (Kuhn and Munkres).
///
/// Shortest augmenting paths with potentials: for n rows and m columns O(min(n, m)² max(n, m)).
public struct LinearAssignment: Sendable {
  /// For each row its column; nil where it has none.
  public let columns: [Int?]

  /// Pairs as many rows and columns as may be paired, and among all ways to do so takes the cheapest.
  ///
  /// - Parameters:
  ///   - rows: n.
  ///   - columns: m.
  ///   - cost: the cost of a pair; one that is not finite marks a forbidden pair.
  public init(rows: Int, columns: Int, cost: (_ row: Int, _ column: Int) -> Double) {
    guard rows > 0, columns > 0 else {
      self.columns = Array(repeating: nil, count: rows)
      return
    }
    var costs = (0..<rows).map { row in (0..<columns).map { cost(row, $0) } }
    // A forbidden pair costs more than what all others together can save, and is taken apart again.
    let allowed = costs.map { $0.map(\.isFinite) }
    let largest = costs.joined().lazy.filter(\.isFinite).map(abs).max() ?? 0
    let forbidden = 2 * Double(min(rows, columns)) * (largest + 1) + 1
    for row in 0..<rows {
      for column in 0..<columns where !allowed[row][column] { costs[row][column] = forbidden }
    }
    let pairs: [(row: Int, column: Int)]
    if rows <= columns {
      pairs = Self.solve(costs).enumerated().map { (row: $0.offset, column: $0.element) }
    } else {
      let turned = (0..<columns).map { column in costs.map { $0[column] } }
      pairs = Self.solve(turned).enumerated().map { (row: $0.element, column: $0.offset) }
    }
    var result = [Int?](repeating: nil, count: rows)
    for pair in pairs where allowed[pair.row][pair.column] { result[pair.row] = pair.column }
    self.columns = result
  }

  /// The column of each row; no more rows than columns, all costs finite.
  private static func solve(_ costs: [[Double]]) -> [Int] {
    let (rows, columns) = (costs.count, costs[0].count)
    // Column `columns` is where a row starts that has no column yet.
    let start = columns
    var rowPotential = [Double](repeating: 0, count: rows)
    var columnPotential = [Double](repeating: 0, count: columns + 1)
    var owner = [Int?](repeating: nil, count: columns + 1)
    for row in 0..<rows {
      owner[start] = row
      // Shortest distance from the start to each column over alternating paths, and the column before it.
      var distance = [Double](repeating: .infinity, count: columns)
      var previous = [Int](repeating: start, count: columns)
      var isDone = [Bool](repeating: false, count: columns + 1)
      var current = start
      while let visited = owner[current] {
        isDone[current] = true
        var (nearest, step) = (start, Double.infinity)
        for column in 0..<columns where !isDone[column] {
          let reduced = costs[visited][column] - rowPotential[visited] - columnPotential[column]
          if reduced < distance[column] {
            distance[column] = reduced
            previous[column] = current
          }
          if distance[column] < step { (nearest, step) = (column, distance[column]) }
        }
        for column in 0...columns {
          if isDone[column] {
            rowPotential[owner[column]!] += step
            columnPotential[column] -= step
          } else {
            distance[column] -= step
          }
        }
        current = nearest
      }
      // Every row on the path moves to the next column, which frees the start.
      while current != start {
        owner[current] = owner[previous[current]]
        current = previous[current]
      }
      owner[start] = nil
    }
    var result = [Int](repeating: 0, count: rows)
    for column in 0..<columns {
      if let row = owner[column] { result[row] = column }
    }
    return result
  }
}
