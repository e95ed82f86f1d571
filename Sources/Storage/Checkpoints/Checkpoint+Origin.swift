extension Checkpoint {
  /// Whether the file at `path` is a checkpoint without optimizer state, from which no run can be resumed.
  public static func isModel(_ path: String) throws -> Bool {
    let file = try HDF5File(reading: path)
    return try file.isOf(format) && (!file.contains("/optimizer") || file.children(of: "/optimizer").isEmpty)
  }
}
