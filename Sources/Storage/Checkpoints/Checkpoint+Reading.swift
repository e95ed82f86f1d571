extension Checkpoint {
  /// Reads a checkpoint and verifies its digest before handing out anything.
  ///
  /// - Throws: `StorageError` for a file that is missing, damaged, of another kind or of a newer version.
  public init(reading path: String) throws { (self, _) = try Checkpoint.read(path) }

  /// The checkpoint and its digest, which was verified.
  ///
  /// - Parameter isOwn: whether this process has just written the file itself.
  static func read(_ path: String, isOwn: Bool = false) throws -> (checkpoint: Checkpoint, digest: String) {
    let file = try HDF5File(reading: path, isChecked: isOwn)
    try file.requireFormat(
      Checkpoint.format, latest: Checkpoint.version, hint: "`sqair-dist train` writes checkpoints.")
    let step = try file.unsignedAttribute("step")
    guard step <= Checkpoint.largestStep else {
      throw StorageError(
        file: path, part: "attribute 'step'", problem: "no run has \(step) updates",
        hint: "The file was not written by this program: use another checkpoint.")
    }
    let checkpoint = Checkpoint(
      step: step, model: try file.textAttribute("model"),
      seed: try file.unsignedAttribute("seed"), configuration: try file.textAttribute("config"),
      data: try file.textAttribute("data"), software: try file.textAttribute("software"),
      kernels: try file.hasAttribute("kernels") ? file.textAttribute("kernels") : nil,
      parameters: try Checkpoint.arrays(of: "/parameters", in: file),
      optimizer: try Checkpoint.optimizerSlots(in: file))
    guard !checkpoint.parameters.isEmpty else {
      throw StorageError(
        file: path, part: "/parameters", problem: "there are none", hint: "Use another checkpoint of the run.")
    }
    let stored = try file.textAttribute("digest")
    let found = checkpoint.digest
    guard stored == found else {
      throw StorageError(
        file: path, part: "attribute 'digest'", problem: "it is \(stored), but the contents give \(found)",
        hint: "The file was changed or damaged after it was written: use another checkpoint of the run.")
    }
    return (checkpoint, stored)
  }

  private static func optimizerSlots(in file: HDF5File) throws -> [OptimizerSlot] {
    guard try file.contains("/optimizer") else { return [] }
    return try file.children(of: "/optimizer").map { child in
      guard child.kind == .group else { throw unexpected(file, "/optimizer/" + child.name, "a group") }
      return OptimizerSlot(name: child.name, arrays: try arrays(of: "/optimizer/" + child.name, in: file))
    }
  }

  private static func arrays(of group: String, in file: HDF5File) throws -> [NamedArray] {
    guard try file.contains(group) else {
      throw StorageError(
        file: file.path, part: group, problem: "there is no such group", hint: "Use another checkpoint of the run.")
    }
    var total = 0
    return try file.children(of: group).map { child in
      let path = group + "/" + child.name
      guard child.kind == .dataSet else { throw unexpected(file, path, "a data set") }
      let set = try file.dataSet(path)
      guard set.type == .float32 else { throw unexpected(file, path, "float32 (it holds \(set.type.name))") }
      total += min(set.count, largestCount)
      guard set.count > 0, total < largestCount else {
        throw unexpected(file, path, "an array of a model (its shape is \(set.shape))")
      }
      try set.requireComplete()
      return NamedArray(name: child.name, shape: set.shape, values: try set.readAll(as: Float.self))
    }
  }

  /// Numbers that no group of a checkpoint has; 4 GiB of them.
  private static let largestCount = 1 << 30

  private static func unexpected(_ file: HDF5File, _ part: String, _ expected: String) -> StorageError {
    StorageError(
      file: file.path, part: part, problem: "this should be \(expected)",
      hint: "Write checkpoints according to the format, with nothing else in these groups.")
  }
}
