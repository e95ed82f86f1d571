import Foundation
import Report
import Runs
import Tracking

/// The page of a run.
struct RunPage {
  let facts: RunFacts

  var page: Page {
    get throws {
      var sections: [Page.Section] = []
      if let model = facts.model {
        sections.append(try seeing(model))
        if let futures = model.futures { sections.append(try imagining(futures)) }
      }
      sections.append(learning)
      if let model = facts.model, model.evaluation.countAccuracy != nil { sections.append(counting(model.evaluation)) }
      if let model = facts.model, let tracking = model.tracking {
        sections.append(following([(model.name, tracking)] + otherTracking))
      }
      if let model = facts.model, let other = facts.other { sections.append(try comparing(model, other)) }
      sections.append(settings)
      return Page(title: "\(facts.name): sqair-dist", header: header, sections: sections, footer: footer)
    }
  }

  // MARK: - Top and bottom

  private var header: HTML {
    let training = facts.configuration.training
    let step = facts.model?.trained.state.step ?? facts.metrics.last.map { Int($0.step) } ?? 0
    let kind = facts.configuration.model.kind.rawValue.uppercased()
    let frames =
      training.frames.start == training.frames.end
      ? "\(training.frames.end)" : "\(training.frames.start) to \(training.frames.end)"
    let data = facts.file.map { " Measured on \($0.path)." } ?? ""
    return """
      <div class="brand">\(Self.mark)<span>sqair-dist: report of a run</span></div>
      <h1>\(facts.name)</h1>
      <p class="subtitle">\(kind), \(Self.grouped(step)) of \(Self.grouped(training.steps)) updates on \(frames) frames, \
      batch \(training.batchSize), \(training.particles) particles, seed \(String(training.seed)).\(data)</p>
      \(facts.missing.map { HTML.missing($0) })
      <div class="tiles">\(tiles)</div>
      """
  }

  /// Two boxes in the colours of identities, and the way between them.
  private static let mark: HTML = """
    <svg viewBox="0 0 44 44" aria-hidden="true"><g fill="none" stroke-width="3">\
    <path d="M9 10h12v14h-12z" stroke="#FFDF00"/><path d="M21 19h14v14h-14z" stroke="#00FFFF"/></g></svg>
    """

  private var tiles: [HTML] {
    guard let model = facts.model else { return [] }
    let evaluation = model.evaluation
    var tiles: [HTML] = []
    if let right = evaluation.countAccuracy {
      tiles.append(.tile(Self.percent(right), "of frames counted correctly", note: "\(evaluation.sequences) sequences"))
    }
    tiles.append(
      .tile(
        Self.number(evaluation.bound / Double(evaluation.frames), 1), "bound, nats per frame",
        note: "\(evaluation.particles) particles"))
    guard let futures = model.futures else { return tiles }
    let measures = futures.measures
    let last = measures.frameCount - 1
    if let error = measures.modelError.overall, let naive = measures.constantVelocityError.overall, naive > 0 {
      tiles.append(
        .tile(
          Self.number(error / naive, 2), "of the baseline's prediction error",
          note: "baseline: constant velocity, frames \(measures.watched) to \(measures.knownEnd - 1)"))
    }
    if let kept = measures.countKept[last] {
      tiles.append(.tile(Self.percent(kept), "of continuations keep all objects", note: "up to frame \(last)"))
    }
    if let change = measures.appearance[last], let apart = measures.glimpseDistance, apart > 0 {
      tiles.append(
        .tile(
          Self.percent(change / apart), "change of appearance", note: "at frame \(last), relative to two different objects"))
    }
    return tiles
  }

  private var footer: HTML {
    let checkpoint = facts.model.map { "Checkpoint \($0.trained.path). " } ?? ""
    return "\(checkpoint)Made by sqair-dist \(softwareVersion). Self-contained: no scripts, no network."
  }

  // MARK: - Pictures

  private func seeing(_ model: ModelFacts) throws -> Page.Section {
    let figures = try model.reconstructions.blocks.map { block in
      try Self.figure(
        model.reconstructions, block, alternative: "\(block.heading): frames above, reconstructions below",
        caption: "<b>\(block.heading)</b> above, reconstruction below")
    }
    return Page.Section(
      anchor: "reconstructions", name: "Reconstructions", heading: "Reconstructions",
      lead: """
        Frames with the boxes that were found, and below them the reconstruction from the latent variables. The colour \
        of a box is the identity of the object: it stays the same while the object is tracked.
        """,
      body: "<div class=\"videos\">\(figures)</div>")
  }

  private static func figure(
    _ figure: SequenceFigure, _ block: SequenceFigure.Block, alternative: String, caption: HTML
  ) throws -> HTML {
    var strip = figure
    strip.blocks = [block]
    let picture = HTML.image(png: try strip.strip().pngBytes(), alternative: alternative)
    return """
      <figure><div class="scroll strip" tabindex="0">\(picture)</div><figcaption>\(caption)</figcaption></figure>
      """
  }

  private func imagining(_ futures: ModelFacts.Futures) throws -> Page.Section {
    let measures = futures.measures
    let figures = try futures.figures.map { figure -> HTML in
      var figure = figure
      figure.maximumAnimationWidth = 520
      // Standing still, a choice of steps that can be made out.
      figure.maximumWidth = 1_000
      let still = try figure.strip().pngBytes()
      let picture = HTML.animation(
        gif: try figure.animated(), still: still,
        alternative: "true frames and \(futures.number) generated continuations, frame by frame")
      return """
        <figure>\(picture)<figcaption><b>\(measures.watched) observed frames</b>, the rest generated; true frames are \
        known up to frame \(measures.knownEnd - 1)</figcaption></figure>
        """
    }
    return Page.Section(
      anchor: "continuations", name: "Continuations", heading: "Generated continuations",
      lead: """
        The model observes \(measures.watched) frames and generates the rest up to frame \(measures.frameCount - 1), \
        \(futures.number) times for each of \(futures.sequences) sequences.
        """,
      body: """
        <div class="videos pair">\(figures)</div>
        <div class="cards" style="margin-top:16px">
        \(HTML.card("Prediction error", errorChart(measures).html(emptyText: "The true frames are not known.")))
        \(HTML.card("Appearance and number of objects", keepingChart(measures).html()))
        \(HTML.card("Diversity of continuations", partingChart(measures).html()))
        \(HTML.card("Motion of generated objects", motionTable(futures)))
        </div>
        """)
  }

  private func motionTable(_ futures: ModelFacts.Futures) -> HTML {
    var rows: [(name: String, cells: [String])] = []
    for (name, unit, comparison) in [("speed", "px", futures.speed), ("turn", "degrees", futures.turn)] {
      guard let comparison else { continue }
      let (mine, truth) = (comparison.imagined, comparison.truth)
      rows += [
        ("\(name), \(unit) per frame", [Self.number(mine.mean, 2), Self.number(truth.mean, 2)]),
        ("its median", [Self.number(mine.quantiles[2], 2), Self.number(truth.quantiles[2], 2)]),
        ("its Wasserstein-1 distance", [Self.number(comparison.wasserstein, 2), "0"]),
      ]
    }
    let table: HTML =
      rows.isEmpty
      ? .missing("The true tracks are not known, or too few objects moved.")
      : .table(columns: ["", "generated", "true"], rows: rows)
    let inside = futures.measures.inside.value.map {
      "\(Self.percent($0)) of the objects have at least half of their box on the canvas. "
    }
    return "\(table)<p>\(inside ?? "")A turn is the angle between two successive displacements of at least a pixel.</p>"
  }

  private func series(_ name: String, _ means: MeanByFrame, from first: Int, per unit: Double = 1) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: means.values(from: first).enumerated().compactMap { place, value in
        value.map { (x: Double(first + place), y: $0 / unit) }
      })
  }

  private func errorChart(_ measures: ImaginationMeasures) -> LineChart {
    let lines = [
      ("model", measures.modelError), ("best of all", measures.bestFutureError),
      ("last frame", measures.lastFrameError), ("constant velocity", measures.constantVelocityError),
    ]
    var chart = LineChart(
      title: "mean squared pixel error by frame", xLabel: "frame", yLabel: "mean squared pixel error",
      series: lines.map { series($0, $1, from: measures.watched) })
    chart.startsAtZero = true
    return chart
  }

  private func keepingChart(_ measures: ImaginationMeasures) -> LineChart {
    var chart = LineChart(
      title: "change of appearance and fraction of continuations that keep all objects, by frame", xLabel: "frame", yLabel: "share",
      series: [series("all objects kept", measures.countKept, from: measures.watched)])
    if let apart = measures.glimpseDistance, apart > 0 {
      chart.series.append(
        series("change of appearance, 1 = another object", measures.appearance, from: measures.watched, per: apart))
    }
    chart.startsAtZero = true
    return chart
  }

  private func partingChart(_ measures: ImaginationMeasures) -> LineChart {
    var chart = LineChart(
      title: "mean distance of an object's positions in two continuations, by frame", xLabel: "frame", yLabel: "pixels",
      series: [
        series("distance in two continuations", measures.placeSpread, from: measures.watched),
        series("speed of an object", measures.speed, from: measures.watched),
      ])
    chart.startsAtZero = true
    return chart
  }

  // MARK: - Learning and counting

  private var learning: Page.Section {
    let clip = facts.configuration.training.optimizer.clipNorm
    func chart(_ title: String, _ unit: String, fromZero: Bool = false, _ lines: [LineChart.Series]) -> HTML {
      var chart = LineChart(
        title: title, xLabel: "updates", yLabel: unit, series: lines.filter { !$0.points.isEmpty })
      chart.startsAtZero = fromZero
      return .card(title, chart.html())
    }
    func level(_ name: String, _ value: Double) -> LineChart.Series {
      let steps = facts.metrics.map { Double($0.step) }
      guard let first = steps.first, let last = steps.last, value > 0 else { return .init(name: name, points: []) }
      return .init(name: name, points: [(first, value), (last, value)])
    }
    let truth = facts.model.flatMap(\.evaluation.trueObjectsPerFrame)
    let cards: [HTML] =
      facts.metrics.isEmpty
      ? [.missing("This run has no metrics.")]
      : [
        chart(
          "Bound", "nats per frame",
          [facts.curve("train/bound", "training"), facts.curve("valid/bound", "validation")]),
        chart(
          "Count accuracy", "fraction of frames", fromZero: true,
          [facts.curve("train/count_accuracy", "training"), facts.curve("valid/count_accuracy", "validation")]),
        chart(
          "Objects per frame", "objects", fromZero: true,
          [facts.curve("train/objects", "training"), facts.curve("valid/objects", "validation")]
            + (truth.map { [level("true", $0)] } ?? [])),
        chart(
          "Gradient norm", "norm", fromZero: true,
          [facts.curve("train/gradient_norm", "before clipping"), level("clipped at", clip)]),
        chart(
          "Divergence from the prior", "nats per frame", fromZero: true,
          [facts.curve("train/kl", "training"), facts.curve("valid/kl", "validation")]),
        chart(
          "Prediction error", "mean squared pixel error", fromZero: true,
          [
            facts.curve("imagination/prediction_error", "model"),
            facts.curve("imagination/last_frame_error", "last frame"),
            facts.curve("imagination/constant_velocity_error", "constant velocity"),
          ]),
      ]
    return Page.Section(
      anchor: "training", name: "Training", heading: "Training",
      lead: "The number behind a name is the latest value. Training curves are averages over intervals of the run.",
      body: "<div class=\"cards\">\(cards)</div>")
  }

  private func counting(_ evaluation: Evaluation) -> Page.Section {
    let shares = evaluation.countConfusion.map { row in
      let total = row.reduce(0, +)
      return row.map { total > 0 ? $0 / total : 0 }
    }
    let table = HTML.confusion(shares, rowName: "true", columnName: "found, % of a row")
    return Page.Section(
      anchor: "counting", name: "Counting", heading: "Counting",
      lead: """
        Objects per frame, true and found, over \(evaluation.sequences) sequences of \(evaluation.frames) frames; \
        particles are weighted by importance.
        """,
      body: .fittingCard(table))
  }

  private var otherTracking: [(name: String, counts: TrackingCounts)] {
    facts.other.flatMap { other in other.tracking.map { [(other.name, $0)] } } ?? []
  }

  private func following(_ models: [(name: String, counts: TrackingCounts)]) -> Page.Section {
    func row(_ name: String, _ value: (TrackingCounts) -> String) -> (name: String, cells: [String]) {
      (name, models.map { value($0.counts) })
    }
    func share(_ name: String, _ key: KeyPath<TrackingCounts, Double>) -> (name: String, cells: [String]) {
      row(name) { $0[keyPath: key].isFinite ? Self.number($0[keyPath: key], 4) : "-" }
    }
    func count(_ name: String, _ field: TrackingCounts.Field) -> (name: String, cells: [String]) {
      row(name) { Self.grouped(Int($0[field])) }
    }
    let table = HTML.table(
      columns: [""] + models.map(\.name),
      rows: [
        share("MOTA", \.mota), share("MOTP, mean of 1 - overlap", \.motp), share("IDF1", \.idf1),
        share("recall", \.recall), share("precision", \.precision),
        count("identity switches", .switches), count("fragmentations", .fragmentations), count("tracks", .tracks),
        count("mostly tracked", .mostlyTracked), count("mostly lost", .mostlyLost),
      ])
    return Page.Section(
      anchor: "tracking", name: "Tracking", heading: "Tracking",
      lead: "Boxes of the particle with the largest weight against the true ones, at an intersection over union of 0.5.",
      body: .fittingCard(table))
  }

  // MARK: - Two runs

  private func comparing(_ mine: ModelFacts, _ other: ModelFacts) throws -> Page.Section {
    func row(_ name: String, _ digits: Int, _ value: (ModelFacts) -> Double?) -> (name: String, cells: [String]) {
      (name, [mine, other].map { Self.number(value($0), digits) })
    }
    func perFrame(_ key: KeyPath<Evaluation, Double>) -> (ModelFacts) -> Double? {
      { $0.evaluation[keyPath: key] / Double($0.evaluation.frames) }
    }
    let table = HTML.table(
      columns: ["", mine.name, other.name],
      rows: [
        ("model", [mine, other].map { $0.trained.configuration.model.kind.rawValue }),
        ("updates", [mine, other].map { Self.grouped($0.trained.state.step) }),
        ("frames measured", [mine, other].map { String($0.evaluation.frames) }),
        row("bound, nats per frame", 2, perFrame(\.bound)), row("reconstruction", 2, perFrame(\.reconstruction)),
        row("divergence", 2, perFrame(\.divergence)),
        row("count accuracy", 4) { $0.evaluation.countAccuracy },
        row("objects per frame", 3) { $0.evaluation.objectsPerFrame },
        row("prediction error", 5) { $0.futures?.measures.modelError.overall },
        row("continuations that keep all objects", 4) { $0.futures?.measures.countKept.overall },
        row("speed, Wasserstein-1", 2) { $0.futures?.speed?.wasserstein },
      ])
    let figures = try zip(mine.reconstructions.blocks, other.reconstructions.blocks).map { first, second in
      let block = SequenceFigure.Block(heading: first.heading, rows: first.rows + second.rows.dropFirst())
      return try Self.figure(
        mine.reconstructions, block, alternative: "\(first.heading): frames, then two reconstructions",
        caption: "<b>\(first.heading)</b>; below it \(mine.name), then \(other.name)")
    }
    return Page.Section(
      anchor: "comparison", name: "Comparison", heading: "Comparison with \(other.name)",
      lead: "Both models on the same sequences, each on as many frames as it was trained on.",
      body: """
        <div class="card" style="margin-bottom:16px">\(table)</div>
        <div class="videos">\(figures)</div>
        """)
  }

  // MARK: - Settings

  private var settings: Page.Section {
    let defaults = Dictionary(
      uniqueKeysWithValues: ConfigurationTree(Configuration()).leaves.map { ($0.keyPath, $0.value) })
    let all = ConfigurationTree(facts.configuration).leaves
    func table(_ leaves: [(keyPath: String, value: ConfigurationTree)]) -> HTML {
      let rows = leaves.map { leaf -> HTML in
        let usual = defaults[leaf.keyPath].map { $0 == leaf.value ? "" : $0.compactJSON } ?? ""
        return "<tr><td><code>\(leaf.keyPath)</code></td><td>\(leaf.value.compactJSON)</td><td>\(usual)</td></tr>"
      }
      return """
        <table class="settings"><thead><tr><th>setting</th><th></th><th>default</th></tr></thead>
        <tbody>\(rows)</tbody></table>
        """
    }
    let changed = all.filter { defaults[$0.keyPath] != $0.value }
    let kernels = facts.model?.trained.state.kernels.map { " Kernels: \($0)." } ?? ""
    return Page.Section(
      anchor: "settings", name: "Settings", heading: "Settings",
      lead: "Settings that differ from the preset <code>fast</code>.\(kernels)",
      body: """
        <div class="card">\(changed.isEmpty ? "<p>Nothing.</p>" : table(changed))\
        <details><summary>All \(all.count) settings</summary>\(table(all))</details></div>
        """)
  }

  // MARK: - Numbers

  static func number(_ value: Double?, _ digits: Int) -> String {
    value.map { $0.isFinite ? String(format: "%.\(digits)f", $0) : "not finite" } ?? "unknown"
  }

  static func percent(_ share: Double) -> String { String(format: share > 0.9995 ? "%.0f %%" : "%.1f %%", share * 100) }

  /// 10,000.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.enumerated().map { place, digit in
      (place > 0 && (digits.count - place) % 3 == 0 ? "," : "") + String(digit)
    }.joined()
  }
}
