import Runs

/// What `benchmark` measures, and on what.
public struct BenchmarkRequest: Sendable {
  /// The kind of measurement.
  public enum Mode: Sendable {
    /// The cost of an update, by part; with every slot live if `dense`.
    case updates(dense: Bool)
    /// The growth of the cost with frames, objects and particles. `pictures` is a folder for charts.
    case sweep(pictures: String?)
    /// The expected gain from more ranks, on this network or on one with this latency in seconds and this bandwidth in
    /// bytes per second.
    case scaling(latency: Double?, bandwidth: Double?, ranksPerHost: Int? = nil)
    /// The share of the time for which evaluation, pictures and checkpoints interrupt training.
    case stall
  }

  public var mode: Mode
  /// Model and training settings; with a checkpoint, the model is that of the checkpoint.
  public var configuration: Configuration
  /// A trained model: the number of objects that it finds determines the amount of work. Nil initializes from the seed.
  public var checkpoint: String?
  /// Sequence lengths to time.
  public var frames: [Int]
  /// Updates timed for each length.
  public var updates: Int
  /// Whether to print JSON objects, one per line, instead of tables.
  public var json: Bool
  /// Counts allocations up to now.
  public var countAllocations: @Sendable () -> AllocationCount

  public init(
    _ mode: Mode, configuration: Configuration, checkpoint: String?, frames: [Int], updates: Int, json: Bool,
    countAllocations: @escaping @Sendable () -> AllocationCount
  ) {
    self.mode = mode
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.frames = frames
    self.updates = updates
    self.json = json
    self.countAllocations = countAllocations
  }
}
