/// Scenes on their way to a file, what is small gathered into the blocks of the ground truth.
final class SequenceSceneBuffer {
  private let path: String
  private let sets: SequenceSceneSets
  private var visible: [Float] = []
  private var bars: [Float] = []
  private var blockStart = 0
  private var next = 0

  init(
    _ shape: SequenceScene.Shape, slots: Int, file: HDF5File, settings: SequenceFileSettings
  ) throws {
    path = file.path
    sets = try SequenceSceneSets(making: shape, slots: slots, in: file, settings)
  }

  func append(_ scene: SequenceScene) throws {
    func expected(_ set: HDF5DataSet?) -> Int { set.map { $0.shape.dropFirst().reduce(1, *) } ?? 0 }
    let given = [scene.visible.count, scene.ink.count, scene.bars.count, scene.unoccluded.count]
    let wanted = [expected(sets.visible), expected(sets.ink), expected(sets.bars), expected(sets.unoccluded)]
    guard given == wanted else {
      throw StorageError(
        file: path,
        problem: "the scene of sequence \(next) has \(given) shares, ink, bar and unoccluded values where \(wanted) "
          + "were expected",
        hint: "Check the number of frames, object slots and bars.")
    }
    visible += scene.visible
    bars += scene.bars
    try sets.ink?.write(outer: next..<next + 1, scene.ink)
    try sets.unoccluded?.write(outer: next..<next + 1, scene.unoccluded)
    next += 1
    if next - blockStart == SequenceFileSettings.truthChunkLength { try flush() }
  }

  /// Writes what was gathered.
  func flush() throws {
    guard next > blockStart else { return }
    try sets.visible?.write(outer: blockStart..<next, visible)
    try sets.bars?.write(outer: blockStart..<next, bars)
    visible.removeAll(keepingCapacity: true)
    bars.removeAll(keepingCapacity: true)
    blockStart = next
  }
}
