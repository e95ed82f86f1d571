import Foundation
import Report
import Runs

/// The cost of an update as a function of one quantity, with the others fixed.
struct CostSweep {
  /// The quantity that varies, as text and as part of a file name.
  let quantity: String
  let fileName: String
  /// The quantities that are fixed.
  let fixed: String
  /// Its values, and seconds of thread time per update at a common speed of the processor.
  let points: [(x: Double, y: Double)]
  let fit: LinearFit

  /// Times updates at each value.
  ///
  /// - Parameter change: sets the value in the workload.
  init(
    _ quantity: String, fileName: String, values: [Double], fixed: String, _ context: BenchmarkContext,
    _ change: (inout UpdateWorkload, Double) -> Void
  ) throws {
    self.quantity = quantity
    self.fileName = fileName
    self.fixed = fixed
    let measured = try values.map { value in
      var workload = context.workload
      change(&workload, value)
      return (x: value, measurement: try context.measure(workload))
    }
    // Seconds that were measured while the processor was slower are scaled down.
    let rate = Spread(measured.map(\.measurement.processorRate)).median
    points = measured.map { x, measurement in
      let seconds = measurement.modelSeconds + measurement.optimizerSeconds
      return (x: x, y: seconds * measurement.processorRate / rate)
    }
    fit = LinearFit(points)
  }

  /// The three quantities in which the cost should be linear: frames, live objects and particles.
  static func all(_ context: BenchmarkContext) throws -> [CostSweep] {
    let particles = context.request.configuration.training.particles
    let frames = context.request.frames.first ?? 3
    let slots = context.workload.configuration.model.constants.slots
    let objects = Double(min(2, slots))
    return [
      try CostSweep(
        // Nothing is propagated in the first frame, so the line begins at the second.
        "frames", fileName: "frames", values: [2, 3, 4, 6, 8, 10],
        fixed: "\(Int(objects)) objects per row, \(particles) particles", context
      ) { workload, value in
        workload.frames = Int(value)
        workload.noise = ForcedObjects(objects: objects)
      },
      try CostSweep(
        "live objects per row", fileName: "objects", values: (0...2 * slots).map { Double($0) / 2 },
        fixed: "\(frames) frames, \(particles) particles", context
      ) { workload, value in
        workload.frames = frames
        workload.noise = ForcedObjects(objects: value)
      },
      try CostSweep(
        "particles", fileName: "particles", values: [2, 3, 5, 8, 12, 16, 20],
        fixed: "\(frames) frames, \(Int(objects)) objects per row", context
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
      "  " + quantity.padding(toLength: 20, withPad: " ", startingAt: 0) + "   s/update       line  deviation",
    ]
    for point in points {
      lines.append(
        String(
          format: "  %-20g %10.4f %10.4f %8.1f %%", point.x, point.y, fit(point.x), 100 * (point.y / fit(point.x) - 1)))
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
      let secondsPerUpdate: [Double]
      let line: LinearFit
    }
    return try MeasurementJSON.line(
      Object(
        against: quantity, fixed: fixed, values: points.map(\.x), secondsPerUpdate: points.map(\.y), line: fit))
  }

  /// Draws points and line as `cost-against-QUANTITY.png` in an existing folder.
  func draw(in folder: String) throws {
    try chart.draw().writePNG(to: "\(folder)/\(Self.pictureName(fileName))")
  }

  /// Creates the folder of the charts, after a check that all of them may be written there.
  static func prepare(_ folder: String, checkpoint: String?) throws {
    try makeFolder(
      folder, for: ["frames", "objects", "particles"].map { (pictureName($0), .picture) },
      OutputPaths(reading: [("--checkpoint", checkpoint)]))
  }

  private static func pictureName(_ quantity: String) -> String { "cost-against-\(quantity).png" }

  private var chart: LineChart {
    var chart = LineChart(
      title: String(
        format: "cost against %@ (%@): largest deviation %.1f %%", quantity, fixed, 100 * fit.largestDeviation),
      xLabel: quantity, yLabel: "seconds per update",
      series: [
        LineChart.Series(name: "measured", points: points),
        LineChart.Series(name: "least squares", points: points.map { (x: $0.x, y: fit($0.x)) }),
      ])
    chart.startsAtZero = true
    return chart
  }
}
