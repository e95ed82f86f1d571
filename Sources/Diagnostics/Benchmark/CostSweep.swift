import Evaluation
import Foundation
import Report
import Runs
import Training

/// How the cost of an update grows with one quantity while the others are constant.
struct CostSweep {
  /// What grows, in words and as a file name.
  let quantity: String
  let fileName: String
  /// What stays.
  let fixed: String
  /// Its values and the seconds that the thread needs for an update, put to one speed of the processor.
  let points: [(x: Double, y: Double)]
  let fit: LinearFit

  /// Times updates at each value.
  ///
  /// - Parameter change: sets the value in the workload.
  init(
    _ quantity: String, fileName: String, values: [Double], fixed: String, _ bench: Bench,
    _ change: (inout UpdateTimer.Workload, Double) -> Void
  ) throws {
    self.quantity = quantity
    self.fileName = fileName
    self.fixed = fixed
    let measured = try values.map { value in
      var workload = bench.workload
      change(&workload, value)
      return (x: value, measurement: try bench.measure(workload))
    }
    // A point that was timed while the processor was slower counts for less.
    let rate = Spread(measured.map(\.measurement.processorRate)).median
    points = measured.map { x, measurement in
      let seconds = measurement.modelSeconds + measurement.optimizerSeconds
      return (x: x, y: seconds * measurement.processorRate / rate)
    }
    fit = LinearFit(points)
  }

  /// The three that cost should be linear in: frames, live objects and particles.
  static func all(_ bench: Bench) throws -> [CostSweep] {
    let particles = bench.request.configuration.training.particles
    let frames = bench.request.frames.first ?? 3
    let slots = bench.workload.configuration.model.constants.slots
    let objects = Double(min(2, slots))
    return [
      try CostSweep(
        // The first frame has nothing to carry over, so the line begins at the second.
        "frames", fileName: "frames", values: [2, 3, 4, 6, 8, 10],
        fixed: "\(Int(objects)) objects per row, \(particles) particles", bench
      ) { workload, value in
        workload.frames = Int(value)
        workload.noise = ForcedObjects(objects: objects)
      },
      try CostSweep(
        "live objects per row", fileName: "objects", values: (0...2 * slots).map { Double($0) / 2 },
        fixed: "\(frames) frames, \(particles) particles", bench
      ) { workload, value in
        workload.frames = frames
        workload.noise = ForcedObjects(objects: value)
      },
      try CostSweep(
        "particles", fileName: "particles", values: [2, 3, 5, 8, 12, 16, 20],
        fixed: "\(frames) frames, \(Int(objects)) objects per row", bench
      ) { workload, value in
        workload.frames = frames
        workload.configuration.training.particles = Int(value)
        workload.noise = ForcedObjects(objects: objects)
      },
    ]
  }

  var text: String {
    var lines = [
      "cost against \(quantity): \(fixed)",
      "  " + quantity.padding(toLength: 20, withPad: " ", startingAt: 0) + "   s/update        fit  deviation",
    ]
    for point in points {
      lines.append(
        String(
          format: "  %-20g %10.4f %10.4f %7.1f %%", point.x, point.y, fit(point.x), 100 * (point.y / fit(point.x) - 1)))
    }
    lines.append(
      String(
        format: "  fit: %.4f s + %.4f s x %@; largest deviation %.1f %%", fit.intercept, fit.slope, quantity,
        100 * fit.largestDeviation))
    return lines.joined(separator: "\n")
  }

  func json() throws -> String {
    struct Object: Encodable {
      let against: String
      let fixed: String
      let values: [Double]
      let seconds_per_update: [Double]
      let line: LinearFit
    }
    return try compactJSON(
      Object(
        against: quantity, fixed: fixed, values: points.map(\.x), seconds_per_update: points.map(\.y), line: fit))
  }

  /// Draws points and line, as `cost-against-QUANTITY.png` in a folder that is there.
  func draw(in folder: String) throws {
    try chart.draw().writePNG(to: "\(folder)/\(Self.pictureName(fileName))")
  }

  /// Makes the folder of the pictures, once all of them may be written there.
  static func prepare(_ folder: String, checkpoint: String?) throws {
    try makeFolder(
      folder, for: ["frames", "objects", "particles"].map { (pictureName($0), .picture) },
      OutputPaths(reading: [("--checkpoint", checkpoint)]))
  }

  private static func pictureName(_ quantity: String) -> String { "cost-against-\(quantity).png" }

  private var chart: LineChart {
    var chart = LineChart(
      title: String(
        format: "cost against %@ (%@): at most %.1f %% off the fit", quantity, fixed, 100 * fit.largestDeviation),
      xLabel: quantity, yLabel: "seconds per update",
      series: [
        LineChart.Series(name: "measured", points: points),
        LineChart.Series(name: "least squares", points: points.map { (x: $0.x, y: fit($0.x)) }),
      ])
    chart.startsAtZero = true
    return chart
  }
}
