import Foundation
import Storage
import TestSupport

/// A folder with small sequences and a small model's settings, and the built program to train it.
final class ToyRun {
  let folder: TemporaryDirectory
  /// 24 sequences of 3 frames, 16x16 pixels.
  let data: String
  /// Settings of the model and of everything that costs time; of `fast` nothing else but the rule of the updates.
  let configuration: String

  init() throws {
    folder = try TemporaryDirectory()
    data = try ToySequences.write(to: folder.path("train.h5"))
    configuration = folder.path("toy.json")
    try """
    {
      "model": {
        "hiddenSize": 32, "appearanceSize": 8, "glimpseHeight": 8, "glimpseWidth": 8, "maskHiddenSize": 16,
        "whereBiasHiddenSize": 16, "wherePriorHiddenSize": 16
      },
      "training": {
        "steps": 8, "batchSize": 8, "particles": 3, "frames": { "start": 3, "end": 3, "stepsPerStage": 1000 },
        "start": { "steps": 0 }, "objective": { "elboWeight": 0, "sticksTheLanding": false }, "gradientLimit": 0, "outputGradientLimit": 0,
        "average": 0,
        "optimizer": { "learningRate": 0.001, "schedule": { "boundaries": [], "factors": [] } }
      },
      "logging": { "interval": 1 }, "validation": { "interval": 0, "particles": 0 },
      "pictures": { "interval": 0 }, "generation": { "interval": 0 },
      "checkpoint": { "interval": 4, "keepLast": 3 }
    }
    """.write(toFile: configuration, atomically: true, encoding: .utf8)
  }

  func path(_ name: String) -> String { folder.path(name) }

  /// Arguments that train on the toy data in a run folder of this name; later options win.
  func arguments(_ run: String, _ options: [String] = []) -> [String] {
    let data = options.contains("--data") ? [] : ["--data", self.data]
    return ["train", "--config", configuration, "--run", path(run)] + data + options
  }

  /// Trains, on `ranks` processes if there are to be several.
  func train(_ run: String, _ options: String..., ranks: Int = 1) throws -> ProcessOutcome {
    try Self.program(arguments(run, options), ranks: ranks)
  }

  /// Runs the program to its end, under `mpirun` if there are to be several ranks.
  static func program(_ arguments: [String], ranks: Int = 1) throws -> ProcessOutcome {
    ranks == 1
      ? try ProcessRunner.run(BuiltProgram.trainer(), arguments, environment: MPILauncher.environment, timeout: 60)
      : try MPILauncher.run(ranks: ranks, arguments: arguments, timeout: 60)
  }

  /// The lines of a run's `metrics.jsonl`; a line that is being written is left out.
  func metrics(_ run: String) -> [[String: Double]] {
    guard let text = try? String(contentsOfFile: path(run) + "/metrics.jsonl", encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap { line in
      (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Double]
    }
  }

  /// What a run logged, without the times.
  func figures(_ run: String) -> [[String: Double]] {
    metrics(run).map { $0.filter { $0.key != "train/seconds_per_update" } }
  }

  /// Numbers of the updates in a run's metrics, in the order of the file.
  func loggedSteps(_ run: String) -> [Int] { metrics(run).compactMap { $0["step"].map { Int($0) } } }

  /// Steps of a run's checkpoints.
  func checkpointSteps(_ run: String) throws -> [Int] {
    try CheckpointStore(readingFrom: path(run) + "/checkpoints").list().map { Int($0.step) }
  }

  func checkpointPath(_ run: String, step: Int) -> String {
    path(run) + "/checkpoints/" + CheckpointStore.name(ofStep: UInt64(step))
  }

  func checkpoint(_ run: String, step: Int) throws -> Checkpoint {
    try Checkpoint(reading: checkpointPath(run, step: step))
  }

  func checkpointBytes(_ run: String, step: Int) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: checkpointPath(run, step: step)))
  }

  /// Every file below a folder with its bytes, to see that nothing was touched.
  static func snapshot(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      let url = URL(fileURLWithPath: folder + "/" + name)
      let isFile = try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile
      if isFile == true { files[name] = try Data(contentsOf: url) }
    }
    return files
  }

  /// Waits until a run has logged some updates.
  func waitForUpdates(_ count: Int, of run: String, timeout: Double = 30) -> Bool {
    let limit = ContinuousClock.now + .seconds(timeout)
    while ContinuousClock.now < limit {
      if metrics(run).count >= count { return true }
      usleep(10_000)
    }
    return false
  }
}
