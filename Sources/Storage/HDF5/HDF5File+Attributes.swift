import CHDF5
import Foundation

/// Attributes: small values that hang on a group or data set (`"/"` is the file itself).
extension HDF5File {
  /// Whether the object at `path` has the attribute. Damage that keeps from finding out is an error, not an absence.
  public func hasAttribute(_ name: String, at path: String = "/") throws -> Bool {
    let answer = chdf5_attribute_exists(identifier, path, name)
    guard answer >= 0 else { throw failure("cannot look for it", attributePart(name, path)) }
    return answer > 0
  }

  /// A string of fixed or variable length, as h5py and this project write them.
  public func textAttribute(_ name: String, at path: String = "/") throws -> String {
    let (type, shape) = try describeAttribute(name, at: path)
    guard type == .string, shape.reduce(1, *) == 1 else {
      throw wrongAttribute(name, path, "it holds \(describe(type, shape)) where one string was expected")
    }
    guard let text = chdf5_read_text(identifier, path, name) else {
      // h5py.Empty: a type, and no value.
      if String(cString: chdf5_error()).isEmpty {
        throw wrongAttribute(name, path, "it has no value where one string was expected")
      }
      throw failure("cannot read the string", attributePart(name, path))
    }
    defer { free(text) }
    return String(cString: text)
  }

  /// One integer of any width or a bool (0 or 1).
  public func integerAttribute(_ name: String, at path: String = "/") throws -> Int {
    let (type, shape) = try describeAttribute(name, at: path)
    let isInteger = ![.float32, .float64, .otherFloat, .string, .other].contains(type)
    guard isInteger, shape.reduce(1, *) == 1 else {
      throw wrongAttribute(name, path, "it holds \(describe(type, shape)) where one integer was expected")
    }
    if type == .uint64 {
      let value = try readAttribute(name, path, as: UInt64.self, count: 1)[0]
      guard let value = Int(exactly: value) else { throw wrongAttribute(name, path, "\(value) is too large") }
      return value
    }
    return Int(try readAttribute(name, path, as: Int64.self, count: 1)[0])
  }

  /// One integer that is not negative, up to the largest `UInt64`.
  public func unsignedAttribute(_ name: String, at path: String = "/") throws -> UInt64 {
    if try describeAttribute(name, at: path) == (.uint64, []) {
      return try readAttribute(name, path, as: UInt64.self, count: 1)[0]
    }
    let value = try integerAttribute(name, at: path)
    guard let value = UInt64(exactly: value) else { throw wrongAttribute(name, path, "\(value) is negative") }
    return value
  }

  /// One number of any type.
  public func doubleAttribute(_ name: String, at path: String = "/") throws -> Double {
    let (shape, values) = try doublesAttribute(name, at: path)
    guard values.count == 1 else {
      throw wrongAttribute(name, path, "it has the shape \(shape) where one number was expected")
    }
    return values[0]
  }

  /// An array (or scalar) of numbers of any type.
  public func doublesAttribute(_ name: String, at path: String = "/") throws -> (shape: [Int], values: [Double]) {
    let (type, shape) = try describeAttribute(name, at: path)
    let count = shape.reduce(1, *)
    guard type.isNumber else {
      throw wrongAttribute(name, path, "it holds \(describe(type, shape)) where numbers were expected")
    }
    return (shape, try readAttribute(name, path, as: Double.self, count: count))
  }

  /// Writes one number.
  public func setAttribute<T: HDF5Element>(_ name: String, to value: T, at path: String = "/") throws {
    let status = withUnsafePointer(to: value) {
      chdf5_write_attribute(identifier, path, name, T.hdf5Type.rawValue, 0, nil, $0)
    }
    guard status >= 0 else { throw failure("cannot write the attribute", attributePart(name, path)) }
  }

  /// Writes a string (variable-length UTF-8, which h5py reads as `str`). A NUL in it is refused.
  public func setAttribute(_ name: String, to value: String, at path: String = "/") throws {
    guard !value.utf8.contains(0) else {
      throw wrongAttribute(name, path, "the text has a NUL character, which HDF5 strings cannot hold")
    }
    guard chdf5_write_text(identifier, path, name, value) >= 0 else {
      throw failure("cannot write the attribute", attributePart(name, path))
    }
  }

  // MARK: Helpers

  private func describeAttribute(_ name: String, at path: String) throws -> (HDF5Type, shape: [Int]) {
    guard try hasAttribute(name, at: path) else {
      throw StorageError(
        file: self.path, part: attributePart(name, path), problem: "there is no such attribute",
        hint: "Check that the file is of the right kind and complete.")
    }
    var type: Int32 = 0
    var dimensions = [UInt64](repeating: 0, count: Int(CHDF5_MAX_RANK))
    let rank = chdf5_describe_attribute(identifier, path, name, &type, &dimensions)
    guard rank >= 0 else { throw failure("cannot read its type", attributePart(name, path)) }
    // An attribute is at most some kilobytes; a larger claim comes from damage.
    let shape = dimensions.prefix(Int(rank))
    guard shape.allSatisfy({ $0 <= 1_000_000 }), shape.reduce(1.0, { $0 * Double($1) }) <= 1e6 else {
      throw wrongAttribute(name, path, "its shape \(Array(shape)) is impossible")
    }
    return (HDF5Type(rawValue: type) ?? .other, shape.map(Int.init))
  }

  private func readAttribute<T: HDF5Element>(
    _ name: String, _ path: String, as type: T.Type, count: Int
  ) throws -> [T] {
    var values = [T](repeating: .zero, count: count)
    guard chdf5_read_attribute(identifier, path, name, T.hdf5Type.rawValue, &values) >= 0 else {
      throw failure("cannot read the numbers", attributePart(name, path))
    }
    return values
  }

  private func attributePart(_ name: String, _ path: String) -> String {
    path == "/" ? "attribute '\(name)'" : "attribute '\(name)' of \(path)"
  }

  private func wrongAttribute(_ name: String, _ path: String, _ problem: String) -> StorageError {
    StorageError(
      file: self.path, part: attributePart(name, path), problem: problem,
      hint: "Create the file again with the documented types.")
  }

  private func describe(_ type: HDF5Type, _ shape: [Int]) -> String {
    shape.isEmpty ? type.name : "\(type.name) of shape \(shape)"
  }
}
