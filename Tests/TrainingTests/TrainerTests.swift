import Cluster
import Foundation
import Numerics
import Report
import Runs
import Storage
import TestSupport
import Testing
import Training

/// The training loop on ranks that are threads of this process, and what it writes.
@Suite struct TrainerTests {
  private let folder: TemporaryDirectory
  private let data: String

  init() throws {
    folder = try TemporaryDirectory()
    data = try ToySequences.write(to: folder.path("toy.h5"))
  }

  /// Trains in a folder of this name, from its latest checkpoint if it has one.
  private func train(_ name: String, _ configuration: Configuration, ranks: Int = 1) throws {
    let run = RunFolder(folder.path(name))
    let data = data
    let codes = try Communicator.inMemory(ranks: ranks) { communicator in
      LinearAlgebra.prepare()
      let file = try SequenceSet(path: data)
      let memory = try StateMemory(for: configuration, communicator)
      let state = TrainingState(configuration, meanImage: file.mean, in: memory)
      try memory.synchronize()
      // In turn: HDF5 does not open a file twice at the same time in one process. And all have read before rank 0
      // writes.
      for rank in 0..<communicator.size {
        if rank == communicator.rank,
          let latest = try CheckpointStore(readingFrom: run.checkpoints).latestValid()
        {
          try state.restore(latest.checkpoint, from: latest.path)
        }
        try communicator.barrier()
      }
      var writers: RunWriters?
      if communicator.isRoot {
        try run.prepare()
        writers = try RunWriters(
          run, lock: nil, checkpoint: configuration.checkpoint, resumingAt: state.step, of: configuration.training.steps
        )
      }
      return try Trainer(
        configuration, state: state, training: file, validation: file, writers: writers, communicator: communicator
      ).run().exitCode
    }.map { try $0.get() }
    #expect(codes == Array(repeating: 0, count: ranks))
  }

  /// The metrics of a run, without times.
  private func metrics(_ name: String) throws -> [[String: Double]] {
    try MetricsLog.read(RunFolder(folder.path(name)).metrics).lines.map { line in
      line.values.filter { $0.key != "train/seconds_per_update" }
    }
  }

  private func checkpoints(_ name: String) throws -> [CheckpointStore.Entry] {
    try CheckpointStore(readingFrom: RunFolder(folder.path(name)).checkpoints).list()
  }

  private func expect(_ run: String, isLike other: String) throws {
    // Not the arrays themselves: a failed expectation would print all they hold.
    let (metrics, expected) = (try metrics(run), try metrics(other))
    let different = zip(metrics, expected).filter { $0 != $1 }.map(\.1)
    #expect(metrics.count == expected.count && different.isEmpty, "\(run): \(different.prefix(2))")
    let digests = try [run, other].map { try checkpoints($0).map { try Checkpoint(reading: $0.path).digest } }
    #expect(digests[0] == digests[1], "\(run)")
  }

  @Test(arguments: Recipe.possible) func aRunHasTheSameBitsOnAnyNumberOfRanks(recipe: Recipe) throws {
    let configuration = recipe.configuration
    try train("alone", configuration)
    // There is something to compare: each update has metrics of its own, and changes the parameters.
    let steps = configuration.training.steps
    for name in ["train/bound", "train/gradient_norm", "valid/bound"] {
      #expect(Set(try metrics("alone").compactMap { $0[name] }).count == steps, "\(name)")
    }
    #expect(Set(try checkpoints("alone").map { try Checkpoint(reading: $0.path).parametersDigest }).count == steps)
    let microbatches = MicrobatchLayout(configuration.training).count
    let sizes = [.everything, .curriculum, .bf16].contains(recipe) ? [2, 3, 4, 5, 7, 16] : [2, 3]
    for ranks in sizes where ranks <= microbatches {
      try train("on-\(ranks)", configuration, ranks: ranks)
      try expect("on-\(ranks)", isLike: "alone")
    }
  }

  @Test(.enabled(if: Recipe.bf16.isPossible, "this processor has no AVX512-BF16"))
  func bfloat16ChangesTheNumbersALittle() throws {
    try train("float32", Recipe.everything.configuration)
    try train("bf16", Recipe.bf16.configuration)
    let bounds = try ["float32", "bf16"].map { try metrics($0).compactMap { $0["train/bound"] } }
    let differences = zip(bounds[0], bounds[1]).map { abs($0 - $1) / abs($0) }
    #expect(differences.count == 12 && differences.allSatisfy { $0 > 0 && $0 < 0.02 }, "\(differences)")
  }

  @Test func everyPartOfTheRecipeIsThere() throws {
    try train("run", Recipe.everything.configuration)
    let updates = try metrics("run").filter { $0["train/bound"] != nil }
    func values(_ name: String) -> [Double] { updates.compactMap { $0["train/" + name] } }
    #expect(values("particles") == [4, 4, 4, 4, 3, 3, 3, 3, 5, 5, 5, 5])
    #expect(values("frames") == [2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3])
    #expect(values("elbo_weight") == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])
    #expect(values("kl_weight").prefix(7).map { ($0 * 1000).rounded() } == [200, 333, 467, 600, 733, 867, 1000])
    #expect(Set(values("learning_rate")).count == 8 && values("learning_rate")[3] == 0.001)
    #expect(values("limited_where").contains { $0 > 0 })
  }

  /// Cut after every update, so in each phase and at each of its ends, and resumed on other numbers of ranks. A killed
  /// run leaves its checkpoints and a log that is further.
  @Test(arguments: [Recipe.everything, .curriculum, .bf16].filter(\.isPossible))
  func aRunIsTheSumOfItsParts(recipe: Recipe) throws {
    let configuration = recipe.configuration
    try train("whole", configuration)
    for step in 1..<configuration.training.steps {
      let run = "cut-\(step)"
      try FileManager.default.copyItem(atPath: folder.path("whole"), toPath: folder.path(run))
      for entry in try checkpoints(run) where entry.step > step {
        try FileManager.default.removeItem(atPath: entry.path)
      }
      try train(run, configuration, ranks: 1 + step % 3)
      try expect(run, isLike: "whole")
    }
  }

  @Test func theLoopWritesWhatIsDueAndNothingElse() throws {
    var configuration = Recipe.curriculum.configuration
    configuration.validation.interval = 3
    configuration.pictures.interval = 3
    configuration.pictures.sequences = 2
    configuration.checkpoint.interval = 4
    configuration.checkpoint.keepLast = 3
    try train("run", configuration)
    let run = RunFolder(folder.path("run"))
    #expect(try checkpoints("run").map(\.step) == [4, 6])
    let metrics = try metrics("run")
    #expect(metrics.filter { $0["train/bound"] != nil }.map { $0["step"] } == [1, 2, 3, 4, 5, 6])
    #expect(metrics.filter { $0["valid/bound"] != nil }.map { $0["step"] } == [3, 6])
    #expect(metrics.filter { $0.keys.contains { $0.hasPrefix("generation/") } }.map { $0["step"] } == [6])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.pictures).sorted() == [
        "futures-0000006.png", "prediction-error-0000006.png", "reconstruction-0000003.png",
        "reconstruction-0000006.png",
      ])
    let last = try Checkpoint(reading: try #require(try checkpoints("run").last).path)
    #expect(last.software == softwareVersion)
    #expect(!FileManager.default.fileExists(atPath: run.failures))
  }

  /// No loss is computed with the parameters of the last update, so nothing else would notice.
  @Test(arguments: [1, 2]) func parametersThatAreNotFiniteAreNotSaved(ranks: Int) throws {
    var configuration = ToyModel.configuration()
    configuration.training.steps = 1
    configuration.training.optimizer.learningRate = 1e308
    let error = try #require(throws: RunError.self) { try train("run", configuration, ranks: ranks) }
    #expect(error.description.contains("after update 1 the parameters are not finite, so nothing was saved"))
    #expect(try CheckpointStore(readingFrom: folder.path("run") + "/checkpoints").list().isEmpty)
  }
}
