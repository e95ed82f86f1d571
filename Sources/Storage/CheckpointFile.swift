/// A float32 array with a name and a shape, row-major.
public struct NamedArray: Equatable, Sendable {
  public var name: String
  /// Dimensions, outermost first; empty for a scalar.
  public var shape: [Int]
  public var values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// All that a training run needs to go on: parameters, optimizer state and where they come from.
///
/// It holds nothing that depends on the number of processes. Two checkpoints with equal contents have
/// byte-identical files. Arrays are kept sorted by name, as HDF5 lists them.
public struct Checkpoint: Equatable, Sendable {
  /// One kind of optimizer state, such as `ms` or `mom`, with an array for each parameter.
  public struct OptimizerSlot: Equatable, Sendable {
    public var name: String
    public var arrays: [NamedArray]

    public init(name: String, arrays: [NamedArray]) {
      self.name = name
      self.arrays = sorted(arrays, by: \.name)
    }
  }

  /// Attribute `format` and the newest `version` this reader knows.
  public static let format = "sqair-dist/checkpoint"
  public static let version = 1

  /// Finished updates.
  public let step: UInt64
  /// What the parameters belong to: "sqair", "air", ...
  public let model: String
  public let seed: UInt64
  /// The resolved configuration as JSON (attribute `config`).
  public let configuration: String
  /// `SequenceFile.identity` of the training file.
  public let data: String
  /// Version and commit of the program.
  public let software: String
  /// What else the bits depend on: the kind of arithmetic that the processors offered (attribute `kernels`). Nil where
  /// a file does not say. It stands beside the contents and is no part of the digest.
  public let kernels: String?
  public let parameters: [NamedArray]
  public let optimizer: [OptimizerSlot]

  public init(
    step: UInt64, model: String, seed: UInt64, configuration: String, data: String, software: String,
    kernels: String? = nil, parameters: [NamedArray], optimizer: [OptimizerSlot]
  ) {
    self.step = step
    self.model = model
    self.seed = seed
    self.configuration = configuration
    self.data = data
    self.software = software
    self.kernels = kernels
    self.parameters = sorted(parameters, by: \.name)
    self.optimizer = sorted(optimizer, by: \.name)
  }

  /// `sha256:` and 64 hexadecimal digits over everything.
  ///
  /// SHA-256 over, in this order: the attributes `format`, `version`, `step`, `model`, `seed`, `config`,
  /// `data`, `software` (a text as byte count and UTF-8 bytes, a number as itself), then for each data set,
  /// sorted by the bytes of its path: the path as text, the rank, the dimensions, and the elements as
  /// float32. All numbers but the elements are 8 bytes; everything is little-endian.
  public var digest: String {
    let digest = SHA256Digest()
    digest.add(Checkpoint.format)
    digest.add(UInt64(Checkpoint.version))
    digest.add(step)
    digest.add(model)
    digest.add(seed)
    for text in [configuration, data, software] { digest.add(text) }
    for (path, array) in arrays { digest.add(array: path, shape: array.shape, values: array.values) }
    return "sha256:" + digest.finish()
  }

  /// `sha256:` and 64 hexadecimal digits over the parameters alone, so that runs with other settings around the same
  /// arithmetic can be compared: of each data set the path as text, the rank, the dimensions and the elements.
  public var parametersDigest: String { Checkpoint.digest(of: arrays.filter { $0.path.hasPrefix("/parameters/") }) }

  /// The same over the state of the optimizer.
  public var optimizerDigest: String { Checkpoint.digest(of: arrays.filter { $0.path.hasPrefix("/optimizer/") }) }

  private static func digest(of arrays: [(path: String, array: NamedArray)]) -> String {
    let digest = SHA256Digest()
    for (path, array) in arrays { digest.add(array: path, shape: array.shape, values: array.values) }
    return "sha256:" + digest.finish()
  }

  /// All arrays with their paths, sorted by path.
  private var arrays: [(path: String, array: NamedArray)] {
    let all =
      parameters.map { (path: "/parameters/" + $0.name, array: $0) }
      + optimizer.flatMap { slot in slot.arrays.map { (path: "/optimizer/\(slot.name)/" + $0.name, array: $0) } }
    return sorted(all, by: \.path)
  }

  // MARK: Writing

  /// The bytes of the checkpoint's file; `name` stands for the file in errors.
  ///
  /// - Throws: `StorageError` where names or shapes could not be read back.
  public func encoded(as name: String) throws -> [UInt8] { try encoded(as: name, digest: digest) }

  /// The same where the digest is known: it takes as long as the rest.
  func encoded(as name: String, digest: String) throws -> [UInt8] {
    try validate(as: name)
    let file = try HDF5File(inMemoryNamed: name)
    try file.setAttribute("format", to: Checkpoint.format)
    try file.setAttribute("version", to: Int64(Checkpoint.version))
    try file.setAttribute("step", to: step)
    try file.setAttribute("model", to: model)
    try file.setAttribute("seed", to: seed)
    try file.setAttribute("config", to: configuration)
    try file.setAttribute("data", to: data)
    try file.setAttribute("software", to: software)
    if let kernels { try file.setAttribute("kernels", to: kernels) }
    try file.setAttribute("digest", to: digest)
    try file.createGroup("/parameters")
    try file.createGroup("/optimizer")
    for slot in optimizer { try file.createGroup("/optimizer/" + slot.name) }
    for (path, array) in arrays { try file.write(array.values, shape: array.shape, to: path) }
    return try file.image()
  }

  private func validate(as file: String) throws {
    func refuse(_ part: String, _ problem: String) -> StorageError {
      StorageError(file: file, part: part, problem: problem, hint: "This is a mistake in the program that saves.")
    }
    guard !parameters.isEmpty else { throw refuse("/parameters", "a checkpoint without parameters is useless") }
    let paths = arrays.map(\.path)
    for (path, next) in zip(paths, paths.dropFirst()) where path == next {
      throw refuse(path, "the name is used twice")
    }
    for (slot, next) in zip(optimizer, optimizer.dropFirst()) where slot.name == next.name {
      throw refuse("/optimizer/\(slot.name)", "the name is used twice")
    }
    for name in parameters.map(\.name) + optimizer.flatMap({ [$0.name] + $0.arrays.map(\.name) }) {
      guard !name.isEmpty, name != ".", !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 }) else {
        throw refuse("'\(name)'", "this cannot be the name of an array")
      }
    }
    for (path, array) in arrays {
      guard array.shape.allSatisfy({ $0 > 0 }), array.values.count == array.shape.reduce(1, *) else {
        throw refuse(path, "\(array.values.count) values do not fill the shape \(array.shape)")
      }
    }
  }

  // MARK: Reading

  /// Reads a checkpoint and verifies its digest before handing out anything.
  ///
  /// - Throws: `StorageError` for a file that is missing, damaged, of another kind or of a newer version.
  public init(reading path: String) throws { (self, _) = try Checkpoint.read(path) }

  /// The checkpoint and its digest, which was verified.
  static func read(_ path: String) throws -> (checkpoint: Checkpoint, digest: String) {
    let file = try HDF5File(reading: path)
    try file.requireFormat(
      Checkpoint.format, newest: Checkpoint.version, hint: "A checkpoint is what `sqair-dist train` writes.")
    let checkpoint = Checkpoint(
      step: try file.unsignedAttribute("step"), model: try file.textAttribute("model"),
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
        file: path, part: "attribute 'digest'", problem: "it says \(stored) but the contents give \(found)",
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
    return try file.children(of: group).map { child in
      let path = group + "/" + child.name
      guard child.kind == .dataSet else { throw unexpected(file, path, "a data set") }
      let set = try file.dataSet(path)
      guard set.type == .float32 else { throw unexpected(file, path, "float32 (it holds \(set.type.name))") }
      return NamedArray(name: child.name, shape: set.shape, values: try set.readAll(as: Float.self))
    }
  }

  private static func unexpected(_ file: HDF5File, _ part: String, _ expected: String) -> StorageError {
    StorageError(
      file: file.path, part: part, problem: "this should be \(expected)",
      hint: "Write checkpoints as the file contract says, with nothing else in these groups.")
  }
}

/// Sorted by the bytes of a text, the order of HDF5 and of every language's byte strings.
private func sorted<T>(_ items: [T], by text: (T) -> String) -> [T] {
  items.sorted { text($0).utf8.lexicographicallyPrecedes(text($1).utf8) }
}
