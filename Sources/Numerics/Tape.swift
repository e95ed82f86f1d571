/// Records operations as they run, and runs them in reverse to sum gradients.
///
/// A tape owns the memory of every tensor made on it. One step of training is: run the operations, set the gradients of
/// the outputs between `prepareBackward()` and `backward()`, read the gradients, `reset()`. In steady state no step
/// allocates. A tape that does not record runs the same operations without gradients, for evaluation and generation.
public final class Tape {
  /// One recorded operation: where its operands are kept, and their type.
  private struct Entry {
    let operands: UnsafeRawPointer
    let type: any Operation.Type
    let part: Int
    let label: Int?
  }

  private let memory: TapeMemory?
  private let valueArena: Arena
  /// Gradients that are added to, and those that are written by one operation.
  private let gradientArena: Arena
  private let writtenArena: Arena
  private var entries: [Entry] = []
  /// Products with packed weights. Weights must not change between a product and `reset()`.
  let products: MatrixProduct

  /// If set, the time spent is recorded here, by part.
  public var profile: Profile?
  private var part = 0

  /// If set, it examines everything that is computed. To be set before a recording begins.
  public var check: FiniteCheck?
  /// A number of the caller's own that `check` reports with the operations that come next, such as the index of a
  /// frame.
  public var label: Int?

  /// How many microbatches of the batch the recording holds, and their numbers 0, 1, ...
  public private(set) var microbatchCount = 1
  public private(set) var eachMicrobatch: Index
  /// The microbatch of each row of the operations that run in `withRowMicrobatches`; nil if all are of microbatch 0.
  public private(set) var rowMicrobatches: Index?

  /// Whether samples of the coming operations leave out the score of their density in the backward pass: its derivative
  /// by its own moments at a fixed sample. Off after `reset()`.
  public var dropsScoreTerms = false

  /// Whether operations are recorded and tensors have gradients.
  public let isRecording: Bool

  /// - Parameters:
  ///   - precision: how the factors of products are rounded; one that this processor supports.
  ///   - memory: where values and gradients are kept as far as there is room; nil: in memory of this process.
  public init(recording: Bool = true, precision: Precision = .float32, memory: TapeMemory? = nil) {
    isRecording = recording
    self.memory = memory
    valueArena = Arena(from: memory)
    gradientArena = Arena(from: memory)
    writtenArena = Arena(from: memory)
    products = MatrixProduct(precision)
    eachMicrobatch = Self.count(to: 1, in: valueArena)
    entries.reserveCapacity(4096)
  }

  /// Bytes of memory that values and gradients have been given since the last `reset`.
  package var usedBytes: Int { valueArena.usedBytes + gradientArena.usedBytes + writtenArena.usedBytes }

  /// The types of the recorded operations, in order.
  package var recordedTypes: [any Operation.Type] { entries.map(\.type) }

  /// A tensor with gradients (if the tape records) and undefined values.
  ///
  /// - Parameter feedsOneProduct: whether its only use will be as the input of one product or convolution. This saves
  ///   setting the gradient to zero and adding to it, half of the memory traffic of a backward pass.
  public func tensor(rows: Int, columns: Int, feedsOneProduct: Bool = false) -> Tensor {
    let values = floats(rows * columns, in: valueArena)
    let gradients = isRecording ? floats(rows * columns, in: feedsOneProduct ? writtenArena : gradientArena) : nil
    return Tensor(
      rows: rows, columns: columns, stride: columns, values: values, gradients: gradients,
      feedsOneProduct: feedsOneProduct)
  }

  /// A tensor with the values of another, whose rows lie without gaps, and a gradient of its own.
  func tensor(sharingValuesOf x: Tensor) -> Tensor {
    precondition(x.stride == x.columns || x.rows <= 1, "the rows of [\(x.rows), \(x.columns)] lie \(x.stride) apart")
    return Tensor(
      rows: x.rows, columns: x.columns, stride: x.columns, values: x.values,
      gradients: isRecording ? floats(x.rows * x.columns, in: gradientArena) : nil)
  }

  /// A tensor without gradients and with undefined values, for data, noise and samples of presence.
  public func constant(rows: Int, columns: Int) -> Tensor {
    Tensor(
      rows: rows, columns: columns, stride: columns, values: floats(rows * columns, in: valueArena), gradients: nil)
  }

  /// A tensor with gradients whose values are zero.
  public func zeros(rows: Int, columns: Int) -> Tensor {
    let zeros = tensor(rows: rows, columns: columns)
    zeros.values.update(repeating: 0, count: rows * columns)
    return zeros
  }

  /// Memory for `count` row numbers, undefined.
  public func index(count: Int) -> Index {
    let bytes = valueArena.allocate(bytes: count * MemoryLayout<Int32>.stride)
    return Index(base: bytes.bindMemory(to: Int32.self, capacity: max(count, 1)), count: count)
  }

  /// `count` row numbers, each given by its position.
  public func index(count: Int, _ number: (Int) -> Int) -> Index {
    let index = index(count: count)
    for position in 0..<count { index[position] = number(position) }
    return index
  }

  /// Keeps an operation whose forward pass has just run.
  package func record<Recorded: Operation>(_ operation: Recorded) {
    guard isRecording else { return }
    let bytes = valueArena.allocate(bytes: MemoryLayout<Recorded>.stride)
    let operands = bytes.bindMemory(to: Recorded.self, capacity: 1)
    operands.initialize(to: operation)
    // The type and not a closure, which would allocate a context for each operation of another module.
    entries.append(Entry(operands: operands, type: Recorded.self, part: part, label: label))
    check?.look(at: operation, part: part, label: label, isDerivative: false)
  }

  /// Runs operations on rows that belong to the given microbatches.
  ///
  /// Operations with weights need to know them, because gradients of weights are summed microbatch by microbatch.
  ///
  /// - Parameter microbatches: the microbatch of each row; nil if all are of microbatch 0.
  public func withRowMicrobatches<Result>(_ microbatches: Index?, _ operations: () -> Result) -> Result {
    let outer = rowMicrobatches
    defer { rowMicrobatches = outer }
    rowMicrobatches = microbatches
    return operations()
  }

  /// Sets all gradients on the tape to zero. The gradients of the outputs are set after this.
  public func prepareBackward() {
    precondition(isRecording, "a tape that does not record has no gradients")
    gradientArena.clear()
  }

  /// Runs the recorded operations in reverse; each adds to the gradients of its inputs.
  ///
  /// - Parameters:
  ///   - gradients: receives the gradients of weights, microbatch by microbatch; if nil, they are added to those
  ///     of the weights' tensors, and there is one microbatch.
  ///   - firstMicrobatch: index in the batch of the recording's first microbatch.
  public func backward(into gradients: PartialGradients? = nil, firstMicrobatch: Int = 0) {
    runBackward()
    let microbatches = firstMicrobatch..<firstMicrobatch + microbatchCount
    let destination =
      gradients?.reserve(microbatches, elements: products.weightGradients.elements)
      ?? PartialGradients.Destination(offsets: [0], isUndefined: false)
    products.weightGradients.compute(into: destination, microbatches: microbatches, entering: enterBackward)
    profile?.enter(nil, isBackward: true)
  }

  /// The same without the gradients of weights: returns from what they are to be computed, for `JointWeightGradients`.
  ///
  /// - Parameters:
  ///   - store: the parameters that all weights belong to.
  ///   - microbatches: the numbers in the batch of the recording's microbatches 0, 1, ...
  public func backwardLeavingWeights(of store: ParameterStore, microbatches: [Int]) -> RecordedUses {
    precondition(microbatches.count == microbatchCount, "\(microbatches) are not \(microbatchCount) microbatches")
    runBackward()
    defer { profile?.enter(nil, isBackward: true) }
    return products.weightGradients.takeUses(
      of: store, microbatches: microbatches, in: valueArena, keepingInputsIn: memory)
  }

  /// Whether everything on the tape lies in the memory that it was given.
  public var isInGivenMemory: Bool { !(memory?.isExceeded ?? true) }

  /// Bytes that the tape needs of its memory for recordings like those until now, and a quarter more.
  public var neededBytes: Int { valueArena.expectedBytes + gradientArena.expectedBytes + writtenArena.expectedBytes }

  /// Forgets all operations and tensors, and returns their memory.
  public func returnMemory() {
    for arena in [valueArena, gradientArena, writtenArena] { arena.returnMemory() }
    reset()
  }

  private func runBackward() {
    for entry in entries.reversed() {
      if entry.part != part { enterBackward(entry.part) }
      entry.type.runBackward(at: entry.operands, products)
      if let check { look(at: entry, as: entry.type, with: check) }
    }
  }

  private func look<Recorded: Operation>(at entry: Entry, as type: Recorded.Type, with check: FiniteCheck) {
    check.look(
      at: entry.operands.load(as: Recorded.self), part: entry.part, label: entry.label, isDerivative: true)
  }

  private func enterBackward(_ next: Int) {
    part = next
    products.part = next
    profile?.enter(next, isBackward: true)
  }

  /// Says which part of the model the coming operations belong to; for `profile`.
  public func enter(part next: Int) {
    part = next
    profile?.enter(next, isBackward: false)
  }

  /// If set, weights that it holds are not packed again.
  public var packedWeights: PackedWeights? {
    get { products.packedWeights }
    set { products.packedWeights = newValue }
  }

  /// Forgets all operations and tensors; their memory is reused.
  ///
  /// - Parameter microbatches: how many microbatches of the batch the next recording holds.
  public func reset(microbatches: Int = 1) {
    entries.removeAll(keepingCapacity: true)
    products.reset()
    valueArena.reset()
    gradientArena.reset()
    writtenArena.reset()
    microbatchCount = microbatches
    rowMicrobatches = nil
    dropsScoreTerms = false
    label = nil
    eachMicrobatch = Self.count(to: microbatches, in: valueArena)
  }

  private static func count(to end: Int, in arena: Arena) -> Index {
    let numbers = arena.allocate(bytes: end * MemoryLayout<Int32>.stride).bindMemory(to: Int32.self, capacity: end)
    for number in 0..<end { numbers[number] = Int32(number) }
    return Index(base: numbers, count: end)
  }

  private func floats(_ count: Int, in arena: Arena) -> UnsafeMutablePointer<Float> {
    let floats = arena.allocate(bytes: count * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    // What an operation leaves undefined must not be mistaken for something that it computed.
    if check != nil { floats.update(repeating: 0, count: count) }
    return floats
  }
}
