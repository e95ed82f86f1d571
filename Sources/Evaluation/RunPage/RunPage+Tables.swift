import Foundation
import Report
import Runs
import Tracking

/// Counting, tracking, comparison with another run, and settings.
extension RunPage {
  func counting(_ evaluation: Evaluation) -> Page.Section {
    let shares = evaluation.countConfusion.map { row in
      let total = row.reduce(0, +)
      return row.map { total > 0 ? $0 / total : 0 }
    }
    let table = HTML.confusion(shares, rowName: "true", columnName: "found, % of a row")
    return Page.Section(
      anchor: "counting", name: "Counting", heading: "Counting",
      lead: """
        True and found numbers of objects in a frame, over \(evaluation.sequences) sequences of \(evaluation.frames) \
        frames; particles are weighted by importance.
        """,
      body: .fittingCard(table))
  }

  var otherTracking: [(name: String, counts: TrackingCounts)] {
    summary.other.flatMap { other in other.tracking.map { [(other.name, $0)] } } ?? []
  }

  func tracking(_ models: [(name: String, counts: TrackingCounts)]) -> Page.Section {
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
      lead: """
        The attention windows of the particle of each sequence with the largest weight, against the true boxes at an \
        intersection over union of 0.5.
        """,
      body: .fittingCard(table))
  }

  func comparison(_ own: ModelSummary, _ other: ModelSummary) throws -> Page.Section {
    func row(_ name: String, _ digits: Int, _ value: (ModelSummary) -> Double?) -> (name: String, cells: [String]) {
      (name, [own, other].map { Self.number(value($0), digits) })
    }
    func perFrame(_ key: KeyPath<Evaluation, Double>) -> (ModelSummary) -> Double? {
      { $0.evaluation[keyPath: key] / Double($0.evaluation.frames) }
    }
    let table = HTML.table(
      columns: ["", own.name, other.name],
      rows: [
        ("model", [own, other].map { $0.trained.configuration.model.kind.rawValue }),
        ("updates", [own, other].map { Self.grouped($0.trained.state.step) }),
        ("frames measured", [own, other].map { String($0.evaluation.frames) }),
        row("bound, nats per frame", 2, perFrame(\.bound)), row("reconstruction", 2, perFrame(\.reconstruction)),
        row("KL divergence", 2, perFrame(\.kl)),
        row("count accuracy", 4) { $0.evaluation.countAccuracy },
        row("objects per frame", 3) { $0.evaluation.objectsPerFrame },
        row("prediction error", 5) { $0.continuations?.metrics.modelError.overall },
        row("share of continuations that keep all objects until the last frame", 4) { model in
          model.continuations.flatMap { $0.metrics.countKept[$0.metrics.frameCount - 1] }
        },
        row("speed, Wasserstein-1", 2) { $0.continuations?.speed?.wasserstein },
      ])
    let strips = try zip(own.reconstructions.blocks, other.reconstructions.blocks).map { first, second in
      let block = SequenceFigure.Block(heading: first.heading, rows: first.rows + second.rows.dropFirst())
      return try Self.strip(
        own.reconstructions, block, alternative: "\(first.heading): frames, then two reconstructions",
        caption: "<b>\(first.heading)</b>; rows: frames, <code>\(own.name)</code>, <code>\(other.name)</code>")
    }
    return Page.Section(
      anchor: "comparison", name: "Comparison", heading: "Comparison with \(other.name)",
      lead: "Both models on the same sequences, each on as many frames as in its training.",
      body: """
        <div class="card" style="margin-bottom:16px">\(table)</div>
        <div class="strips">\(strips)</div>
        """)
  }

  var settings: Page.Section {
    let preset = summary.configuration.nearestPreset
    let standards = Dictionary(uniqueKeysWithValues: preset.differences.map { ($0.keyPath, $0.theirs) })
    let all = ConfigurationTree(summary.configuration).leaves
    func table(_ leaves: [(keyPath: String, value: ConfigurationTree)]) -> HTML {
      let rows = leaves.map { leaf -> HTML in
        let standard = standards[leaf.keyPath] ?? ""
        return "<tr><td><code>\(leaf.keyPath)</code></td><td>\(leaf.value.compactJSON)</td><td>\(standard)</td></tr>"
      }
      return """
        <table class="settings"><thead><tr><th>setting</th><th></th><th>in \(preset.name)</th></tr></thead>
        <tbody>\(rows)</tbody></table>
        """
    }
    let changed = all.filter { standards[$0.keyPath] != nil }
    let kernels = summary.model?.trained.state.kernels.map { " Kernels: \($0)." } ?? ""
    return Page.Section(
      anchor: "settings", name: "Settings", heading: "Settings",
      lead: "Differences from the preset <code>\(preset.name)</code>.\(kernels)",
      body: """
        <div class="card">\(changed.isEmpty ? "<p>None.</p>" : table(changed))\
        <details><summary>All \(all.count) settings</summary>\(table(all))</details></div>
        """)
  }
}
