import CHDF5

/// The version of the HDF5 library that runs, such as "1.10.8".
public func hdf5Version() -> String {
  var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
  chdf5_version(&major, &minor, &release)
  return "\(major).\(minor).\(release)"
}
