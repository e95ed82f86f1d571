extension Checkpoint {
  /// The bytes of the checkpoint's file; `name` stands for the file in errors.
  ///
  /// - Parameter compression: deflate level 1 to 9, or 0 for none, which is faster.
  /// - Throws: `StorageError` where names or shapes could not be read back.
  public func encoded(as name: String, compression: Int = 0) throws -> [UInt8] {
    try encoded(as: name, digest: digest, compression: compression)
  }

  /// The same where the digest is known: it takes as long as the rest.
  func encoded(as name: String, digest: String, compression: Int = 0) throws -> [UInt8] {
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
    for (path, array) in arrays { try file.write(array.values, shape: array.shape, to: path, compression: compression) }
    return try file.image()
  }

  private func validate(as file: String) throws {
    func refuse(_ part: String, _ problem: String) -> StorageError {
      StorageError(file: file, part: part, problem: problem, hint: "This is a bug in the program that saves.")
    }
    guard !parameters.isEmpty else { throw refuse("/parameters", "a checkpoint needs at least one parameter") }
    let paths = arrays.map(\.path)
    for (path, next) in zip(paths, paths.dropFirst()) where path == next {
      throw refuse(path, "the name is used twice")
    }
    for (slot, next) in zip(optimizer, optimizer.dropFirst()) where slot.name == next.name {
      throw refuse("/optimizer/\(slot.name)", "the name is used twice")
    }
    for name in parameters.map(\.name) + optimizer.flatMap({ [$0.name] + $0.arrays.map(\.name) }) {
      guard !name.isEmpty, name != ".", !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 }) else {
        throw refuse("'\(name)'", "this is not a valid name for an array")
      }
    }
    for (path, array) in arrays {
      guard array.shape.allSatisfy({ $0 > 0 }), array.values.count == array.shape.reduce(1, *) else {
        throw refuse(path, "\(array.values.count) values do not fill the shape \(array.shape)")
      }
    }
  }
}
