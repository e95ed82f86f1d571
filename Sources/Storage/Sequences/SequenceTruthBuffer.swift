/// Ground truth on its way to a sequence file, gathered into blocks of sequences because one is too little for a chunk.
final class SequenceTruthBuffer {
  private let path: String
  private let frameCount: Int
  private let slots: Int
  private let counts: HDF5DataSet
  private let boxes: HDF5DataSet
  private let ids: HDF5DataSet
  private let labels: HDF5DataSet
  private let scenes: SequenceSceneBuffer?
  private let ignored: SequenceIgnoredSets?
  private var ignoredBlock = SequenceIgnored(counts: [], boxes: [])
  private var block = SequenceTruth(counts: [], boxes: [], ids: [], labels: [])
  private var blockStart = 0
  private var blockCount = 0

  init(file: HDF5File, settings: SequenceFileSettings, slots: Int) throws {
    guard slots > 0 else {
      throw StorageError(
        file: file.path, problem: "there are \(slots) object slots",
        hint: "Ask for at least one, or for no ground truth.")
    }
    path = file.path
    frameCount = settings.frameCount
    self.slots = slots
    counts = try settings.createDataSet("/counts", of: UInt8.self, inner: [frameCount], in: file)
    boxes = try settings.createDataSet("/boxes", of: Float.self, inner: [frameCount, slots, 4], in: file)
    ids = try settings.createDataSet("/ids", of: Int32.self, inner: [frameCount, slots], in: file)
    labels = try settings.createDataSet("/labels", of: UInt8.self, inner: [slots], in: file)
    ignored = try settings.ignoreSlots.map { try SequenceIgnoredSets(slots: $0, in: file, settings) }
    scenes = try settings.scene.map { try SequenceSceneBuffer($0, slots: slots, file: file, settings: settings) }
  }

  func append(_ truth: SequenceTruth, sequence: Int) throws {
    let given = [truth.counts.count, truth.boxes.count, truth.ids.count, truth.labels.count]
    let expected = [frameCount, frameCount * slots * 4, frameCount * slots, slots]
    guard given == expected else {
      throw StorageError(
        file: path,
        problem: "the ground truth of sequence \(sequence) has \(given) counts, box values, ids and labels "
          + "where \(expected) were expected",
        hint: "Check the number of frames and object slots.")
    }
    guard (truth.scene != nil) == (scenes != nil) else {
      throw StorageError(
        file: path,
        problem: "sequence \(sequence) has \(truth.scene == nil ? "no" : "a") scene, in contradiction to the settings",
        hint: "Give the shape of the scenes and the scenes together.")
    }
    if let scene = truth.scene { try scenes?.append(scene) }
    try append(ignored: truth.ignored, sequence: sequence)
    block.counts += truth.counts
    block.boxes += truth.boxes
    block.ids += truth.ids
    block.labels += truth.labels
    blockCount += 1
    if blockCount == SequenceFileSettings.truthChunkLength { try flush() }
  }

  private func append(ignored given: SequenceIgnored?, sequence: Int) throws {
    let counts = [given?.counts.count ?? 0, given?.boxes.count ?? 0]
    let expected = ignored.map { [frameCount, $0.boxes!.shape.dropFirst().reduce(1, *)] } ?? [0, 0]
    guard counts == expected else {
      throw StorageError(
        file: path,
        problem:
          "the ignored boxes of sequence \(sequence) have \(counts) counts and box values where \(expected) were "
          + "expected",
        hint: "Check the number of frames and of slots for ignored boxes.")
    }
    guard let given else { return }
    ignoredBlock.counts += given.counts
    ignoredBlock.boxes += given.boxes
  }

  /// Writes what was gathered.
  func flush() throws {
    try scenes?.flush()
    guard blockCount > 0 else { return }
    let outer = blockStart..<blockStart + blockCount
    try counts.write(outer: outer, block.counts)
    try boxes.write(outer: outer, block.boxes)
    try ids.write(outer: outer, block.ids)
    try labels.write(outer: outer, block.labels)
    try ignored?.counts?.write(outer: outer, ignoredBlock.counts)
    try ignored?.boxes?.write(outer: outer, ignoredBlock.boxes)
    ignoredBlock = SequenceIgnored(counts: [], boxes: [])
    block.counts.removeAll(keepingCapacity: true)
    block.boxes.removeAll(keepingCapacity: true)
    block.ids.removeAll(keepingCapacity: true)
    block.labels.removeAll(keepingCapacity: true)
    blockStart += blockCount
    blockCount = 0
  }
}
