import Report
import Runs

/// Training curves.
extension RunPage {
  var training: Page.Section {
    let clip = summary.configuration.training.optimizer.clipNorm
    func chart(
      _ title: String, _ unit: String, fromZero: Bool = false, emptyText: String = "Nothing was logged.",
      _ lines: [LineChart.Series]
    ) -> HTML {
      var chart = LineChart(
        title: title, xLabel: "updates", yLabel: unit, series: lines.filter { !$0.points.isEmpty })
      chart.startsAtZero = fromZero
      return .card(title, chart.html(emptyText: emptyText))
    }
    func level(_ name: String, _ value: Double) -> LineChart.Series {
      let steps = summary.metrics.map { Double($0.step) }
      guard let first = steps.first, let last = steps.last, value > 0 else { return .init(name: name, points: []) }
      return .init(name: name, points: [(first, value), (last, value)])
    }
    let truth = summary.model.flatMap(\.evaluation.trueObjectsPerFrame)
    let cards: [HTML] =
      summary.metrics.isEmpty
      ? [.missing("There are no metrics of this run.")]
      : [
        chart(
          "Bound", "nats per frame",
          [summary.curve("train/bound", "training"), summary.curve("valid/bound", "validation")]),
        chart(
          "Count accuracy", "share of frames", fromZero: true, emptyText: textWithoutObjects,
          [summary.curve("train/count_accuracy", "training"), summary.curve("valid/count_accuracy", "validation")]),
        chart(
          "Objects per frame", "objects", fromZero: true, emptyText: textWithoutObjects,
          [summary.curve("train/objects", "training"), summary.curve("valid/objects", "validation")]
            + (truth.map { [level("true", $0)] } ?? [])),
        chart(
          "Gradient norm", "norm", fromZero: true,
          [summary.curve("train/gradient_norm", "before clipping"), level("clipped at", clip)]),
        chart(
          "KL divergence", "nats per frame", fromZero: true,
          [summary.curve("train/kl", "training"), summary.curve("valid/kl", "validation")]),
        chart(
          "Prediction error", "mean squared pixel error", fromZero: true,
          [
            summary.curve("generation/prediction_error", "model"),
            summary.curve("generation/last_frame_error", "last frame"),
            summary.curve("generation/constant_velocity_error", "constant velocity"),
          ]),
      ]
    return Page.Section(
      anchor: "training", name: "Training", heading: "Training",
      lead: "The number after a name is the last value. Long curves are means over parts of the run.",
      body: "<div class=\"cards\">\(cards)</div>")
  }
}
