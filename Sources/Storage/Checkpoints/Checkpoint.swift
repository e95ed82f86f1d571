/// All that a training run needs to resume: parameters, optimizer state and where they come from.
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

  /// Attribute `format` and the latest `version` that this program reads.
  public static let format = "sqair-dist/checkpoint"
  public static let version = 1

  /// Steps beyond this do not come from a run; all up to it are exact as a `Double`.
  public static let largestStep: UInt64 = 1 << 53

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

  /// What keeps the checkpoint from being used although its digest holds, one sentence each.
  public var problems: [String] {
    var problems = notFinite(parameters, in: "/parameters")
    let shapes = Dictionary(parameters.map { ($0.name, $0.shape) }) { first, _ in first }
    for slot in optimizer {
      problems += notFinite(slot.arrays, in: "/optimizer/" + slot.name)
      for array in slot.arrays where shapes[array.name] != array.shape {
        problems.append(
          "/optimizer/\(slot.name)/\(array.name) has the shape \(array.shape), unlike the parameter of that name")
      }
      let missing = Set(shapes.keys).subtracting(slot.arrays.map(\.name)).sorted()
      if let first = missing.first {
        problems.append("/optimizer/\(slot.name) lacks \(missing.count) parameters, such as \(first)")
      }
    }
    return problems
  }

  private func notFinite(_ arrays: [NamedArray], in group: String) -> [String] {
    arrays.filter { !$0.values.allSatisfy(\.isFinite) }.map { "\(group)/\($0.name) has numbers that are not finite" }
  }

  /// All arrays with their paths, sorted by path.
  var arrays: [(path: String, array: NamedArray)] {
    let all =
      parameters.map { (path: "/parameters/" + $0.name, array: $0) }
      + optimizer.flatMap { slot in slot.arrays.map { (path: "/optimizer/\(slot.name)/" + $0.name, array: $0) } }
    return sorted(all, by: \.path)
  }
}

/// Sorted by the bytes of a text, the order of HDF5 and of every language's byte strings.
private func sorted<T>(_ items: [T], by text: (T) -> String) -> [T] {
  items.sorted { text($0).utf8.lexicographicallyPrecedes(text($1).utf8) }
}
