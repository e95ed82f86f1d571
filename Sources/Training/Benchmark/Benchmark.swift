import Cluster
import Foundation
import Numerics
import SQAIR
import Storage

/// Times updates and compares them with what the processor can do.
public struct BenchmarkRequest: Sendable {
  /// Model and training settings; the model is that of the checkpoint if there is one.
  public var configuration: Configuration
  /// A trained model, whose objects decide how much work there is; nil starts from the seed.
  public var checkpoint: String?
  /// Lengths to time.
  public var frames: [Int]
  /// Updates timed of each length.
  public var updates: Int
  /// Whether every slot is live.
  public var dense: Bool
  /// Whether to print JSON objects, one a line, in place of tables.
  public var json: Bool
  /// Allocations so far.
  public var countAllocations: @Sendable () -> AllocationCount

  public init(
    configuration: Configuration, checkpoint: String?, frames: [Int], updates: Int, dense: Bool, json: Bool,
    countAllocations: @escaping @Sendable () -> AllocationCount
  ) {
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.frames = frames
    self.updates = updates
    self.dense = dense
    self.json = json
    self.countAllocations = countAllocations
  }
}

/// Prints what updates cost. Every process of the job calls this.
public func benchmark(_ request: BenchmarkRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.install()
  let communicator = try Communicator.start()
  let bench = try Bench(request, communicator)
  defer { bench.cleanUp() }
  for frames in request.frames {
    var workload = bench.workload
    workload.frames = frames
    if request.dense { workload.noise = .everySlot() }
    let report = UpdateReport(measurement: try bench.measure(workload), source: bench.source)
    if communicator.isRoot { print(request.json ? try report.json() : report.text) }
  }
  try communicator.finish()
}

/// What all measurements need: a model, and sequences to run it on.
struct Bench {
  let request: BenchmarkRequest
  let communicator: Communicator
  let workload: UpdateTimer.Workload
  private let trained: TrainedModel?
  private let folder: String

  /// Every process makes a small data set for itself.
  init(_ request: BenchmarkRequest, _ communicator: Communicator) throws {
    self.request = request
    self.communicator = communicator
    let trained = try communicator.collectively("opening the checkpoint") {
      try request.checkpoint.map { try TrainedModel($0) }
    }
    self.trained = trained
    var configuration = request.configuration
    if let trained { configuration.model = trained.configuration.model }
    let folder = FileManager.default.temporaryDirectory.path
      + "/sqair-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
    self.folder = folder
    let constants = configuration.model.constants
    var settings = configuration.data.builtin.movingDigits(.train)
    settings.sequences = 256
    settings.frames = request.frames.max() ?? 1
    settings.canvasHeight = constants.height
    settings.canvasWidth = constants.width
    let file = try communicator.collectively("making sequences") {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try DigitFile.write(settings, to: folder + "/sequences.h5")
      return try SequenceFile(path: folder + "/sequences.h5")
    }
    workload = UpdateTimer.Workload(
      configuration: configuration, parameters: trained?.state.model.parameters.values, file: file)
  }

  /// Where the objects come from, in words.
  var source: String {
    request.dense ? "every slot live" : trained.map { $0.path } ?? "untrained"
  }

  func measure(_ workload: UpdateTimer.Workload, updates: Int? = nil) throws -> UpdateMeasurement {
    try UpdateTimer(
      workload, updates: updates ?? request.updates, communicator, countAllocations: request.countAllocations
    ).run()
  }

  /// Removes the sequences.
  func cleanUp() { try? FileManager.default.removeItem(atPath: folder) }
}
