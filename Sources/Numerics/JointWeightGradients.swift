/// The gradients of weights from the recordings of several processes, which divide the weights among themselves.
///
/// A process that computes the gradients of all weights from its own microbatches writes as many numbers as there are
/// parameters, and so does every other; then all of them have to be read again to be added. Here each part of a weight
/// is the work of one process, which reads the rows of all of them. The kernels add microbatch by microbatch in the
/// order of `ReductionTree`, so the sums have the bits that a process would have got that had recorded everything
/// itself.
public final class JointWeightGradients {
  /// A recording, and by how much the memory that holds it is displaced here from where its process has it, in bytes.
  public struct Recording: BitwiseCopyable {
    let uses: RecordedUses
    let displacement: Int

    public init(_ uses: RecordedUses, displacement: Int) { (self.uses, self.displacement) = (uses, displacement) }
  }

  /// A weight in all recordings.
  private struct Weight {
    let offset: Int
    let rows: Int
    let columns: Int
    let stride: Int
    let isBias: Bool
    let part: Int
    var uses = 0
  }

  /// A part of a weight: as much as a process takes at a time.
  private struct Task {
    let weight: Int
    let rows: Range<Int>
    let columns: Range<Int>
    let cost: Int
    /// Its place before sorting.
    let number: Int
  }

  /// The largest task: small enough that processes end at nearly the same time, large enough that copying the rows of
  /// inputs and output gradients side by side does not count.
  private static let largestTask = (rows: 512, columns: 256)

  private let store: ParameterStore
  private let product: WeightGradientProduct
  private var recordings: [Recording] = []
  private var weights: [Weight] = []
  private var indices: [Int: Int] = [:]
  /// Of each weight and recording the index of the last use; -1 where there is none.
  private var lastUses: [Int32] = []
  private var tasks: [Task] = []
  private var offsets: [Int] = []
  private var microbatches = 0..<0

  /// - Parameter precision: that of the recordings.
  public init(_ store: ParameterStore, _ precision: Precision) {
    self.store = store
    product = WeightGradientProduct(precision)
  }

  /// Parts into which the work is divided, the largest first: the same on all processes.
  public var taskCount: Int { tasks.count }

  /// Whether the tasks write every element of the gradient. Otherwise all must be zero before.
  public private(set) var coversAll = false

  /// Takes over the recordings of all processes. Together they hold each microbatch of a range once; in which recording
  /// it is, and in which order these are, makes no difference to the sums.
  public func join(_ recordings: [Recording]) {
    self.recordings.removeAll(keepingCapacity: true)
    self.recordings.append(contentsOf: recordings)
    weights.removeAll(keepingCapacity: true)
    indices.removeAll(keepingCapacity: true)
    lastUses.removeAll(keepingCapacity: true)
    tasks.removeAll(keepingCapacity: true)
    microbatches = Self.microbatches(of: recordings)
    for index in recordings.indices { addWeights(ofRecording: index) }
    for index in weights.indices { addTasks(ofWeight: index) }
    tasks.sort { ($1.cost, $0.number) < ($0.cost, $1.number) }
    coversAll = weights.reduce(0) { $0 + $1.rows * $1.columns } == store.count
  }

  /// The microbatches of all recordings.
  private static func microbatches(of recordings: [Recording]) -> Range<Int> {
    var (first, last, count) = (Int.max, -1, 0)
    for recording in recordings {
      let numbers = recording.here(recording.uses.microbatches)
      for index in 0..<numbers.count {
        (first, last) = (min(first, numbers[index]), max(last, numbers[index]))
      }
      count += numbers.count
    }
    guard count > 0 else { return 0..<0 }
    precondition(last - first + 1 == count, "\(count) microbatches are not those from \(first) to \(last)")
    return first..<last + 1
  }

  private func addWeights(ofRecording number: Int) {
    let (recording, count) = (recordings[number], recordings.count)
    let recorded = recording.here(recording.uses.weights)
    for index in 0..<recording.uses.weightCount {
      let weight = recorded[index], gradient = weight.gradient
      let offset = gradient.base - recording.uses.firstGradient
      let place = indices[offset] ?? weights.count
      if place == weights.count {
        indices[offset] = place
        weights.append(
          Weight(
            offset: offset, rows: gradient.rows, columns: gradient.columns, stride: gradient.stride,
            isBias: weight.isBias, part: weight.part))
        for _ in 0..<count { lastUses.append(-1) }
      }
      precondition(
        weights[place].rows == gradient.rows && weights[place].columns == gradient.columns
          && weights[place].isBias == weight.isBias, "a weight is used through views that overlap")
      weights[place].uses += weight.rows
      lastUses[place * count + number] = Int32(weight.lastUse)
    }
  }

  private func addTasks(ofWeight index: Int) {
    let weight = weights[index]
    let rowParts = (weight.rows + Self.largestTask.rows - 1) / Self.largestTask.rows
    let columnParts = (weight.columns + Self.largestTask.columns - 1) / Self.largestTask.columns
    for row in 0..<rowParts {
      for column in 0..<columnParts {
        let rows = weight.rows * row / rowParts..<weight.rows * (row + 1) / rowParts
        let columns = weight.columns * column / columnParts..<weight.columns * (column + 1) / columnParts
        tasks.append(
          Task(
            weight: index, rows: rows, columns: columns, cost: (weight.uses + 16) * rows.count * columns.count,
            number: tasks.count))
      }
    }
  }

  /// Computes a task.
  ///
  /// - Parameters:
  ///   - number: from 0 to below `taskCount`.
  ///   - gradients: one vector of all parameters for each block of the tree over the microbatches of all recordings;
  ///     the task's part of them is overwritten.
  ///   - profile: if given, books the time.
  public func compute(_ number: Int, into gradients: [UnsafeMutableBufferPointer<Float>], _ profile: Profile? = nil) {
    let task = tasks[number], weight = weights[task.weight]
    profile?.enter(weight.part, isBackward: true)
    offsets.removeAll(keepingCapacity: true)
    for gradient in gradients { offsets.append(gradient.baseAddress! - gradients[0].baseAddress!) }
    let gradient = MatrixBlock(
      base: gradients[0].baseAddress! + weight.offset, rows: weight.rows, columns: weight.columns, stride: weight.stride
    )
    product.compute(
      gradient, isBias: weight.isBias, rows: task.rows, columns: task.columns, uses: weight.uses,
      microbatches: microbatches, offsets: offsets, isUndefined: true
    ) { body in
      for (number, recording) in recordings.enumerated() {
        let uses = recording.here(recording.uses.uses)
        let numbers = recording.here(recording.uses.microbatches)
        var index = Int(lastUses[task.weight * recordings.count + number])
        while index >= 0 {
          let use = uses[index]
          body(recording.here(use), numbers)
          index = use.previous
        }
      }
    }
    profile?.enter(nil, isBackward: true)
  }
}

extension JointWeightGradients.Recording {
  /// An address of the recording's process as one of this process.
  fileprivate func here<Element>(_ pointer: UnsafeMutablePointer<Element>) -> UnsafeMutablePointer<Element> {
    (UnsafeMutableRawPointer(pointer) + displacement).assumingMemoryBound(to: Element.self)
  }

  fileprivate func here(_ block: MatrixBlock) -> MatrixBlock {
    MatrixBlock(base: here(block.base), rows: block.rows, columns: block.columns, stride: block.stride)
  }

  fileprivate func here(_ index: Index) -> Index { Index(base: here(index.base), count: index.count) }

  fileprivate func here(_ use: WeightUse) -> WeightUse {
    WeightUse(x: use.x.map(here), dy: here(use.dy), microbatches: use.microbatches.map(here), previous: use.previous)
  }
}
