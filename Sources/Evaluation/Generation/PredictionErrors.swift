import Report

/// Mean squared pixel error by frame, from the first generated frame to the last one whose truth is known; means over
/// examples and, for the model, continuations.
struct PredictionErrors {
  let model: [Double]
  /// The error of the continuation that is closest to the truth, chosen for each example and frame.
  let bestContinuation: [Double]
  /// The error of the average of an example's continuations, which is what the model expects of the frame: of all
  /// predictions that it could make, the one with the least expected squared error. The other baselines predict one
  /// frame too, while `model` is the error of samples, which scatter around it.
  let averageOfContinuations: [Double]
  /// The error of repeating the last observed frame.
  let lastFrame: [Double]
  /// The error of moving the objects of the last observed frame at constant velocity; empty without objects.
  let constantVelocity: [Double]

  /// No frame has a known truth.
  static let none = PredictionErrors(
    model: [], bestContinuation: [], averageOfContinuations: [], lastFrame: [], constantVelocity: [])
}

extension LineChart {
  /// The chart of prediction errors of the model and of baselines.
  ///
  /// - Parameters:
  ///   - errors: a name and mean squared pixel errors from frame `first` on; nil where the truth is not known. Lines
  ///     without a value are left out.
  init(predictionErrors errors: [(name: String, values: [Double?])], from first: Int, title: String) {
    let series = errors.map { name, values in
      Series(
        name: name,
        points: values.enumerated().compactMap { index, value in value.map { (x: Double(first + index), y: $0) } })
    }
    self.init(
      title: title, xLabel: "frame", yLabel: "mean squared pixel error", series: series.filter { !$0.points.isEmpty })
    startsAtZero = true
  }
}
