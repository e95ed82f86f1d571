import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage
import Training

/// Times updates and compares them with what the processor can do.
public struct BenchmarkRequest: Sendable {
  /// What is to be found out.
  public enum Question: Sendable {
    /// What an update costs, by part; with every slot live if `dense`.
    case updates(dense: Bool)
    /// How the cost grows with frames, objects and particles. `pictures` is a folder for charts.
    case sweep(pictures: String?)
    /// What more ranks would bring, on this network or on one of this latency in seconds and bandwidth in bytes a
    /// second.
    case scaling(latency: Double?, bandwidth: Double?)
    /// For how much of the time training stands still.
    case stall
  }

  public var question: Question
  /// Model and training settings; the model is that of the checkpoint if there is one.
  public var configuration: Configuration
  /// A trained model, whose objects decide how much work there is; nil starts from the seed.
  public var checkpoint: String?
  /// Lengths to time.
  public var frames: [Int]
  /// Updates timed of each length.
  public var updates: Int
  /// Whether to print JSON objects, one a line, in place of tables.
  public var json: Bool
  /// Allocations so far.
  public var countAllocations: @Sendable () -> AllocationCount

  public init(
    _ question: Question, configuration: Configuration, checkpoint: String?, frames: [Int], updates: Int, json: Bool,
    countAllocations: @escaping @Sendable () -> AllocationCount
  ) {
    self.question = question
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.frames = frames
    self.updates = updates
    self.json = json
    self.countAllocations = countAllocations
  }
}

/// Prints what updates cost. Every process of the job calls this.
public func benchmark(_ request: BenchmarkRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "benchmark",
    [
      .init("question", "\(request.question)"), .init("--frames", "\(request.frames)"),
      .init("--checkpoint", request.checkpoint == nil ? "not given" : "given"),
      .init("--updates", "\(request.updates)"), .init("--json", "\(request.json)"),
    ] + request.configuration.agreementFields)
  let bench = try Bench(request, communicator)
  defer { bench.cleanUp() }
  func show(_ text: @autoclosure () -> String, _ json: @autoclosure () throws -> String) throws {
    if communicator.isRoot { print(request.json ? try json() : text()) }
  }
  switch request.question {
  case .updates(let dense):
    for frames in request.frames {
      var workload = bench.workload
      workload.frames = frames
      if dense { workload.noise = .everySlot() }
      let report = UpdateReport(
        measurement: try bench.measure(workload), source: dense ? "all slots computed" : bench.source)
      try show(report.text, report.json())
    }
  case .sweep(let pictures):
    try communicator.collectively("preparing the folder of the pictures") {
      if communicator.isRoot, let pictures { try CostSweep.prepare(pictures, checkpoint: request.checkpoint) }
    }
    for sweep in try CostSweep.all(bench) {
      try show(sweep.text, sweep.json())
      try communicator.collectively("drawing the line") {
        if communicator.isRoot, let pictures { try sweep.draw(in: pictures) }
      }
    }
  case .scaling(let latency, let bandwidth):
    let scaling = try ScalingBenchmark(bench, latency: latency, bandwidth: bandwidth)
    try show(scaling.text, scaling.json())
  case .stall:
    let stall = try StallMeasurement(bench)
    try show(stall.text, stall.json())
  }
  try communicator.finish()
}

/// What all measurements need: a model, and sequences to run it on.
struct Bench {
  let request: BenchmarkRequest
  let communicator: Communicator
  let workload: UpdateTimer.Workload
  /// Holds this process's sequences.
  let folder: String
  private let trained: TrainedModel?

  /// Every process makes a small data set for itself.
  init(_ request: BenchmarkRequest, _ communicator: Communicator) throws {
    self.request = request
    self.communicator = communicator
    let trained = try request.checkpoint.map { try TrainedModel.openOnAllRanks($0, communicator) }
    self.trained = trained
    var configuration = request.configuration
    if let trained { configuration.model = trained.configuration.model }
    var largest = configuration
    largest.training.frames.end = max(request.frames.max() ?? 1, configuration.training.frames.end)
    try communicator.collectively("preparing memory") {
      try MemoryEstimate(training: largest, ranks: communicator.size).require(ranks: communicator.ranksOnHost)
    }
    // A folder that nobody had before: it is removed at the end.
    var template = Array((FileManager.default.temporaryDirectory.path + "/sqair-benchmark-XXXXXX").utf8CString)
    let isMade = mkdtemp(&template) != nil
    let code = errno
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    self.folder = folder
    let constants = configuration.model.constants
    var settings = configuration.data.builtin.movingDigits(.train)
    settings.sequences = 256
    settings.frames = max(settings.frames, request.frames.max() ?? 1, configuration.training.frames.end)
    settings.canvasHeight = constants.height
    settings.canvasWidth = constants.width
    let file = try communicator.collectively("making sequences") {
      guard isMade else {
        throw RunError(
          "the temporary folder '\(folder)' cannot be made: \(String(cString: strerror(code))). Set TMPDIR.")
      }
      try DigitFile.write(settings, to: folder + "/sequences.h5")
      return try SequenceFile(path: folder + "/sequences.h5")
    }
    workload = UpdateTimer.Workload(
      configuration: configuration, parameters: trained?.state.model.parameters.values, file: file)
  }

  /// Whose objects decide how much work there is, in words.
  var source: String { trained.map { $0.path } ?? "untrained" }

  func measure(_ workload: UpdateTimer.Workload, updates: Int? = nil) throws -> UpdateMeasurement {
    try UpdateTimer(
      workload, updates: updates ?? request.updates, communicator, countAllocations: request.countAllocations
    ).run()
  }

  /// Removes the sequences.
  func cleanUp() { try? FileManager.default.removeItem(atPath: folder) }
}
