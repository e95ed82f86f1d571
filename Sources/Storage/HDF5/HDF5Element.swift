/// A Swift type that data sets and attributes can be moved to and from.
public protocol HDF5Element: BitwiseCopyable, Sendable {
  static var hdf5Type: HDF5Type { get }
  static var zero: Self { get }
}

extension Float: HDF5Element { public static var hdf5Type: HDF5Type { .float32 } }
extension Double: HDF5Element { public static var hdf5Type: HDF5Type { .float64 } }
extension UInt8: HDF5Element { public static var hdf5Type: HDF5Type { .uint8 } }
extension Int32: HDF5Element { public static var hdf5Type: HDF5Type { .int32 } }
extension UInt64: HDF5Element { public static var hdf5Type: HDF5Type { .uint64 } }
extension Int64: HDF5Element { public static var hdf5Type: HDF5Type { .int64 } }
