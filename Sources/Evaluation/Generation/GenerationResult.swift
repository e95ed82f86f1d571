import Report

/// The continuations of some sequences, and their errors where the truth is known.
package struct GenerationResult {
  let observedFrames: Int
  /// Whether there are objects with identities that persist from frame to frame.
  let hasTracks: Bool
  /// [example][continuation].
  let continuations: [[Continuation]]
  let errors: PredictionErrors

  /// Mean errors for logs, over the generated frames whose truth is known; empty if there are none.
  package var metrics: [(name: String, value: Double)] {
    guard !errors.model.isEmpty else { return [] }
    func mean(_ errors: [Double]) -> Double { errors.reduce(0, +) / Double(errors.count) }
    var metrics: [(name: String, value: Double)] = [
      ("prediction_error", mean(errors.model)), ("last_frame_error", mean(errors.lastFrame)),
    ]
    if !errors.constantVelocity.isEmpty { metrics.append(("constant_velocity_error", mean(errors.constantVelocity))) }
    return metrics
  }

  /// The error chart of these sequences.
  package func errorChart(title: String) -> LineChart {
    LineChart(
      predictionErrors: [
        ("model", errors.model), ("best of all", errors.bestContinuation),
        ("average of all", errors.averageOfContinuations), ("last frame", errors.lastFrame),
        ("constant velocity", errors.constantVelocity),
      ], from: observedFrames, title: title)
  }
}
