extension HDF5File {
  /// Whether the file carries this value of the attribute `format`.
  public func isOf(_ format: String) throws -> Bool {
    try hasAttribute("format") && textAttribute("format") == format
  }

  /// Checks the attributes `format` and `version` that every file of this project carries.
  func requireFormat(_ format: String, latest: Int, hint: String) throws {
    guard try hasAttribute("format") else {
      throw StorageError(
        file: path, part: "attribute 'format'", problem: "it is missing, so this is not a \(format) file", hint: hint)
    }
    let found = try textAttribute("format")
    guard found == format else {
      throw StorageError(
        file: path, part: "attribute 'format'", problem: "it is '\(found)' where '\(format)' was expected",
        hint: hint)
    }
    let version = try integerAttribute("version")
    guard version >= 1 else {
      throw StorageError(
        file: path, part: "attribute 'version'", problem: "\(version) is not a version", hint: "Create the file again.")
    }
    guard version <= latest else {
      throw StorageError(
        file: path, part: "attribute 'version'",
        problem: "the file is of version \(version), and this program reads up to \(latest)",
        hint: "Update sqair-dist, or create the file again with this version.")
    }
  }
}
