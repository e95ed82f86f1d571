import Report
import Runs
import Tracking

/// The page of a run.
struct RunPage {
  let summary: RunSummary

  /// What a chart about objects says if it has no value.
  var textWithoutObjects: String {
    summary.configuration.model.kind == .vrnn ? "This model has no objects." : "Nothing was logged."
  }

  var page: Page {
    get throws {
      var sections: [Page.Section] = []
      if let model = summary.model {
        sections.append(try reconstructions(model))
        if let continuations = model.continuations { sections.append(try self.continuations(continuations)) }
      }
      if !summary.isOfModelAlone { sections.append(training) }
      if let model = summary.model, model.evaluation.countAccuracy != nil {
        sections.append(counting(model.evaluation))
      }
      if let model = summary.model, let tracking = model.tracking {
        sections.append(self.tracking([(model.name, tracking)] + otherTracking))
      }
      if let model = summary.model, let other = summary.other { sections.append(try comparison(model, other)) }
      sections.append(settings)
      return Page(title: "\(summary.name): sqair-dist", header: header, sections: sections, footer: footer)
    }
  }

  // MARK: - Header and footer

  private var header: HTML {
    let training = summary.configuration.training
    let step = summary.model?.trained.state.step ?? summary.metrics.last.map { Int($0.step) } ?? 0
    let kind = summary.configuration.model.kind.rawValue.uppercased()
    let used = training.usedNumbers
    let data = summary.file.map { " Measured on \($0.path)." } ?? ""
    return """
      <div class="brand">\(Self.mark)<span>sqair-dist: results of a \(summary.isOfModelAlone ? "model" : "run")</span></div>
      <h1>\(summary.name)</h1>
      <p class="subtitle">\(kind), \(Self.grouped(step)) of \(Self.grouped(training.steps)) updates on \
      \(Self.range(used.frames)) frames, batch \(training.batchSize), \(Self.range(used.particles)) particles, \
      seed \(String(training.seed)).\(data)</p>
      \(summary.missing.map { HTML.missing($0) })
      <div class="tiles">\(tiles)</div>
      """
  }

  /// Two boxes in the colours of identities.
  private static let mark: HTML = """
    <svg viewBox="0 0 44 44" aria-hidden="true"><g fill="none" stroke-width="3">\
    <path d="M9 10h12v14h-12z" stroke="#FFDF00"/><path d="M21 19h14v14h-14z" stroke="#00FFFF"/></g></svg>
    """

  private var tiles: [HTML] {
    guard let model = summary.model else { return [] }
    let evaluation = model.evaluation
    var tiles: [HTML] = []
    if let accuracy = evaluation.countAccuracy {
      tiles.append(.tile(Self.percent(accuracy), "count accuracy", note: "\(evaluation.sequences) sequences"))
    }
    tiles.append(
      .tile(
        Self.number(evaluation.bound / Double(evaluation.frames), 1), "bound, nats per frame",
        note: "\(evaluation.particles) particles"))
    guard let continuations = model.continuations else { return tiles }
    let metrics = continuations.metrics
    let last = metrics.frameCount - 1
    if let error = metrics.modelError.overall, let baseline = metrics.constantVelocityError.overall, baseline > 0 {
      tiles.append(
        .tile(
          Self.number(error / baseline, 2), "prediction error relative to the baseline",
          note: "constant velocity, frames \(metrics.observedFrames) to \(metrics.knownEnd - 1)"))
    }
    if let kept = metrics.countKept[last] {
      tiles.append(.tile(Self.percent(kept), "of continuations keep all objects", note: "until frame \(last)"))
    }
    if let change = metrics.appearance[last], let apart = metrics.glimpseDistance, apart > 0 {
      tiles.append(
        .tile(
          Self.percent(change / apart), "change of appearance", note: "at frame \(last), relative to different objects")
      )
    }
    return tiles
  }

  private var footer: HTML {
    let checkpoint = summary.model.map { "Checkpoint \($0.trained.path). " } ?? ""
    return "\(checkpoint)Made by sqair-dist \(softwareVersion). One file without scripts or network access."
  }
}
