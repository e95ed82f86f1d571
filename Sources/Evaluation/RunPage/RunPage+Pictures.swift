import Models
import Report
import Runs

/// Reconstructions and generated continuations.
extension RunPage {
  func reconstructions(_ model: ModelSummary) throws -> Page.Section {
    let strips = try model.reconstructions.blocks.map { block in
      try Self.strip(
        model.reconstructions, block, alternative: "\(block.heading): frames above, reconstructions below",
        caption: "<b>\(block.heading)</b>, reconstruction below")
    }
    return Page.Section(
      anchor: "reconstructions", name: "Reconstructions", heading: "Reconstructions",
      lead: """
        The frames with the boxes of the objects found, and below them the reconstruction from the latent variables. \
        The colour of a box is the identity of the object: it is constant while the object is tracked.
        """,
      body: "<div class=\"strips\">\(strips)</div>")
  }

  static func strip(
    _ figure: SequenceFigure, _ block: SequenceFigure.Block, alternative: String, caption: HTML
  ) throws -> HTML {
    var strip = figure
    strip.blocks = [block]
    let picture = HTML.image(png: try strip.strip().pngBytes(), alternative: alternative)
    return """
      <figure><div class="scroll strip" tabindex="0">\(picture)</div><figcaption>\(caption)</figcaption></figure>
      """
  }

  func continuations(_ continuations: ModelSummary.Continuations) throws -> Page.Section {
    let metrics = continuations.metrics
    let animations = try continuations.figures.map { figure -> HTML in
      var figure = figure
      figure.maximumAnimationWidth = 520
      // The still picture shows as many steps as are discernible.
      figure.maximumWidth = 1_000
      let still = try figure.strip().pngBytes()
      let picture = HTML.animation(
        gif: try figure.animated(), still: still,
        alternative: "the truth and \(continuations.continuationCount) generated continuations, frame by frame")
      return """
        <figure>\(picture)<figcaption><b>\(metrics.observedFrames) observed frames</b>, then generated ones; the \
        truth is known up to frame \(metrics.knownEnd - 1)</figcaption></figure>
        """
    }
    let error = metrics.errorChart(title: "prediction error").html(emptyText: "The truth is not known.")
    return Page.Section(
      anchor: "continuations", name: "Continuations", heading: "Generated continuations",
      lead: """
        From \(metrics.observedFrames) frames of each of \(continuations.sequences) sequences the model generates \
        \(continuations.continuationCount) continuations, up to frame \(metrics.frameCount - 1).
        """,
      body: """
        <div class="strips pair">\(animations)</div>
        <div class="cards" style="margin-top:16px">
        \(HTML.card("Prediction error", error))
        \(HTML.card("Appearance and count", constancyChart(metrics).html(emptyText: textWithoutObjects)))
        \(HTML.card("Distance of continuations", diversityChart(metrics).html(emptyText: textWithoutObjects)))
        \(HTML.card("Motion of generated objects", motionTable(continuations)))
        </div>
        """)
  }

  private func motionTable(_ continuations: ModelSummary.Continuations) -> HTML {
    guard summary.configuration.model.kind != .vrnn else { return .missing(textWithoutObjects) }
    var rows: [(name: String, cells: [String])] = []
    for (name, unit, comparison) in [("speed", "px", continuations.speed), ("turn", "degrees", continuations.turn)] {
      guard let comparison else { continue }
      let (generated, truth) = (comparison.generated, comparison.truth)
      rows += [
        ("\(name), \(unit) per frame", [Self.number(generated.mean, 2), Self.number(truth.mean, 2)]),
        ("\(name), median", [Self.number(generated.quantiles[2], 2), Self.number(truth.quantiles[2], 2)]),
        ("\(name), Wasserstein-1 distance", [Self.number(comparison.wasserstein, 2), ""]),
      ]
    }
    let table: HTML =
      rows.isEmpty
      ? .missing("The true tracks are not known, or too few objects move.")
      : .table(columns: ["", "generated", "true"], rows: rows)
    let inside = continuations.metrics.position.shares.inside.map {
      "\(Self.percent($0)) of the objects have at least half of their box on the canvas"
        + (continuations.truePosition?.shares.inside.map { ", \(Self.percent($0)) of the true ones. " } ?? ". ")
    }
    return "\(table)<p>\(inside ?? "")A turn is the angle between consecutive displacements of at least a pixel.</p>"
  }

  private func series(_ name: String, _ means: MeanByFrame, from first: Int, per unit: Double = 1) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: means.values(from: first).enumerated().compactMap { index, value in
        value.map { (x: Double(first + index), y: $0 / unit) }
      })
  }

  private func constancyChart(_ metrics: GenerationMetrics) -> LineChart {
    var chart = LineChart(
      title: "change of appearance and share of continuations that keep all objects, by frame", xLabel: "frame",
      yLabel: "share",
      series: [series("all objects kept", metrics.countKept, from: metrics.observedFrames)])
    if let apart = metrics.glimpseDistance, apart > 0 {
      chart.series.append(
        series(
          "change of appearance, 1 = another object", metrics.appearance, from: metrics.observedFrames, per: apart))
    }
    chart.startsAtZero = true
    return chart
  }

  private func diversityChart(_ metrics: GenerationMetrics) -> LineChart {
    var chart = LineChart(
      title: "mean distance of the positions of an object in two continuations, by frame", xLabel: "frame",
      yLabel: "pixels",
      series: [
        series("positions in two continuations", metrics.positionSpread, from: metrics.observedFrames),
        series("speed, pixels per frame", metrics.speed, from: metrics.observedFrames),
      ])
    chart.startsAtZero = true
    return chart
  }
}
