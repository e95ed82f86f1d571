import Cluster
import Foundation
import MovingDigits
import Runs
import Storage

/// The model and the sequences that all benchmarks share.
struct BenchmarkContext {
  let request: BenchmarkRequest
  let communicator: Communicator
  let workload: UpdateWorkload
  /// The temporary folder of this process, with its sequences.
  let folder: String
  /// The origin of the parameters, for reports.
  let source: String
  /// Rank 0 only: the others receive its parameters when they need them.
  private let trained: TrainedModel?

  /// Opens the checkpoint and generates a small data set. Every process of the job calls this.
  init(_ request: BenchmarkRequest, _ communicator: Communicator) throws {
    self.request = request
    self.communicator = communicator
    try JobKernels.require(request.configuration.training.precision, communicator)
    let trained = try request.checkpoint.map { try TrainedModel.openOnAllRanks($0, communicator) }
    self.trained = communicator.isRoot ? trained : nil
    source = trained?.path ?? "untrained"
    var configuration = request.configuration
    if let trained { configuration.model = trained.configuration.model }
    var largest = configuration
    largest.training.frames.end = max(request.frames.max() ?? 1, configuration.training.frames.end)
    try communicator.collectively("preparing memory") {
      try MemoryEstimate(training: largest, ranks: communicator.size, sharing: communicator.ranksOnHost)
        .require(ranks: communicator.ranksOnHost)
    }
    // A new folder with a name of its own: it is removed at the end.
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
    let file = try communicator.collectively("generating sequences") {
      guard isMade else {
        throw RunError(
          "the temporary folder '\(folder)' cannot be created: \(String(cString: strerror(code))). Set TMPDIR.")
      }
      try DigitFile.write(settings, to: folder + "/sequences.h5")
      return try SequenceSet(path: folder + "/sequences.h5")
    }
    workload = UpdateWorkload(
      configuration: configuration, isTrained: trained != nil,
      parameters: self.trained?.state.model.parameters.values, file: file)
  }

  /// Times updates of a workload, by default as many as requested. Every process of the job calls this.
  func measure(_ workload: UpdateWorkload, updates: Int? = nil) throws -> UpdateMeasurement {
    try UpdateTimer(
      workload, updates: updates ?? request.updates, communicator, countAllocations: request.countAllocations
    ).run()
  }

  /// Removes the temporary folder.
  func removeSequences() { try? FileManager.default.removeItem(atPath: folder) }
}
