/// Opens data sets of one sequence file and compares types and shapes with what the format says.
struct SequenceSchema {
  let file: HDF5File

  /// Opens a data set whose dimensions must be `shape`; nil stands for any length.
  func open(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet {
    let set = try file.dataSet(path)
    guard set.type == type else {
      throw error(
        path, "it holds \(set.type.name) where the format says \(type.name)", "Convert it, or create the file again.")
    }
    let fits = set.shape.count == shape.count && zip(set.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
    guard fits else {
      let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw error(
        path, "its shape is \(set.shape) where [\(expected)] was expected",
        "Shapes must agree with /frames and with each other; create the file again.")
    }
    return set
  }

  func openIfPresent(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet? {
    try file.contains(path) ? open(path, type, shape) : nil
  }

  func error(_ part: String, _ problem: String, _ hint: String) -> StorageError {
    StorageError(file: file.path, part: part, problem: problem, hint: hint)
  }
}
