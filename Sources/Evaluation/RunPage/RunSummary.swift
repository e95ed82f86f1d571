import Cluster
import Foundation
import Report
import Runs
import Storage

/// The content of the page of a run, or of a model by itself, and the reasons for missing parts.
struct RunSummary {
  /// Whether it is of a checkpoint file, which has no metrics.
  let isOfModelAlone: Bool
  let name: String
  let configuration: Configuration
  /// The lines of `metrics.jsonl`; empty without the file.
  let metrics: [MetricsLog.Line]
  let file: SequenceSet?
  let model: ModelSummary?
  /// Another run, measured on the same sequences.
  let other: ModelSummary?
  /// One sentence for each missing part, which says how to get it.
  private(set) var missing: [String] = []

  init(_ request: ReportRequest, _ communicator: Communicator) throws {
    let folder = RunFolder(request.run)
    name = Self.name(of: request.run)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: request.run, isDirectory: &isFolder) else {
      throw RunError(
        "'\(request.run)' does not exist. Name the folder of a run that `sqair-dist train --run` made, or a checkpoint."
      )
    }
    isOfModelAlone = !isFolder.boolValue
    guard isFolder.boolValue || request.data != nil else {
      throw RunError("'\(request.run)' has no validation file. Name a sequence file with --data.")
    }
    var missing: [String] = []
    func note<T>(_ body: () throws -> T) -> T? {
      do {
        return try body()
      } catch {
        missing.append("\(error)")
        return nil
      }
    }
    let trained = isOfModelAlone ? try load(request.run) : note { try load(request.run) }
    if let trained {
      configuration = trained.configuration
    } else {
      configuration = try Self.writtenConfiguration(folder)
    }
    let log = isOfModelAlone ? nil : note { try Self.metrics(folder) }
    metrics = log?.lines ?? []
    if let unreadable = log?.unreadable, unreadable > 0 {
      missing.append(
        "\(unreadable) \(unreadable == 1 ? "line" : "lines") of \(folder.metrics) cannot be read and are left out of the curves."
      )
    }

    // A file that was named must exist; the validation file of the run may have been removed.
    let paths = request.data.map { [$0] } ?? Self.validationFiles(folder, configuration)
    switch (trained, paths) {
    case (let trained?, let paths?) where request.data != nil:
      file = try trained.open(paths)
    case (let trained?, let paths?):
      file = note { try trained.open(paths) }
    case (_, nil):
      missing.append("The run has no validation file for pictures. Name a sequence file with --data.")
      file = nil
    case (nil, _):
      file = nil
    }
    let extent = ModelSummary.Extent()
    guard let trained, let file else {
      model = nil
      other = nil
      self.missing = missing
      return
    }
    model = try ModelSummary(name, trained, file, extent, communicator)
    if trained.state.model.framesAreIndependent {
      missing.append("The model infers every frame independently, so it cannot generate continuations.")
    }
    if !file.hasCounts {
      missing.append("\(file.path) has no /counts, so the accuracy of counting is unknown.")
    }
    if !file.hasTracks {
      missing.append(
        "\(file.path) has no boxes with identities, so motion and tracking cannot be measured.")
    }
    other = try request.other.map { path in
      let trained = try load(path)
      return try ModelSummary(
        Self.name(of: path), trained, trained.open(file.files.map(\.path)), extent, communicator)
    }
    self.missing = missing
  }

  /// The last part of a path, without "." and "..".
  private static func name(of path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
  }

  private static func writtenConfiguration(_ folder: RunFolder) throws -> Configuration {
    guard let json = try? String(contentsOfFile: folder.configuration, encoding: .utf8) else {
      throw RunError(
        "'\(folder.path)' has neither a checkpoint nor a config.json, so there is nothing to report. "
          + "Name the folder of a run that has started.")
    }
    return try Configuration(resolvedJSON: json, place: folder.configuration)
  }

  private static func metrics(_ folder: RunFolder) throws -> (lines: [MetricsLog.Line], unreadable: Int) {
    guard FileManager.default.fileExists(atPath: folder.metrics) else {
      throw RunError("There is no \(folder.metrics), so there are no curves.")
    }
    return try MetricsLog.read(folder.metrics)
  }

  /// The validation files of the run, or the built-in one.
  private static func validationFiles(_ folder: RunFolder, _ configuration: Configuration) -> [String]? {
    let builtin = folder.data + "/valid.h5"
    return configuration.data.valid?.patterns.map(folder.file(at:))
      ?? (FileManager.default.fileExists(atPath: builtin) ? [builtin] : nil)
  }

  /// A metric by update; long series as means of equal parts, so that the line stays thin.
  func curve(_ key: String, _ name: String, parts: Int = 160) -> LineChart.Series {
    let points = metrics.compactMap { line in line.values[key].map { (x: Double(line.step), y: $0) } }
    guard points.count > parts else { return LineChart.Series(name: name, points: points) }
    return LineChart.Series(
      name: name,
      points: (0..<parts).map { index in
        let part = points[index * points.count / parts..<(index + 1) * points.count / parts]
        return (part.last!.x, part.reduce(0) { $0 + $1.y } / Double(part.count))
      })
  }
}
