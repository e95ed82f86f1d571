/// Element types as this project tells them apart. Raw values are those of `chdf5.h`.
public enum HDF5Type: Int32, Sendable {
  case other = 0
  case float32, float64, uint8, int32, uint64, int64, string, boolean
  case otherSigned, otherUnsigned, otherFloat

  /// For messages: the name h5py users know.
  public var name: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .uint8: "uint8"
    case .int32: "int32"
    case .uint64: "uint64"
    case .int64: "int64"
    case .string: "string"
    case .boolean: "bool"
    case .otherSigned: "another signed integer"
    case .otherUnsigned: "another unsigned integer"
    case .otherFloat: "another float"
    case .other: "a type that is neither number nor string"
    }
  }

  /// Whether HDF5 converts it to any of the number types on reading.
  var isNumber: Bool { self != .string && self != .other }
}
