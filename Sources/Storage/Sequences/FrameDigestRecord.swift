import Foundation

/// The digests of a sequence file as they were found at some time, kept beside a run.
struct FrameDigestRecord {
  static let format = SequenceFile.digestRecordFormat

  let stamp: FileStamp
  let sampledIdentity: String
  let digests: FrameDigests

  init(stamp: FileStamp, sampledIdentity: String, digests: FrameDigests) {
    (self.stamp, self.sampledIdentity, self.digests) = (stamp, sampledIdentity, digests)
  }

  /// Reads a record.
  ///
  /// - Throws: `StorageError` for a file that is none, or is of another number of sequences.
  init(reading path: String, sequences: Int) throws {
    let file = try HDF5File(reading: path)
    try file.requireFormat(Self.format, latest: 1, hint: "Remove it: it is made again.")
    stamp = FileStamp(
      size: try file.unsignedAttribute("size"), modified: try file.unsignedAttribute("modified"))
    sampledIdentity = try file.textAttribute("data")
    let set = try file.dataSet("/frame_digests")
    guard set.type == .uint8, set.shape == [sequences, FrameDigests.size],
      let digests = FrameDigests(bytes: try set.readAll(as: UInt8.self), sequences: sequences)
    else { throw file.damaged("/frame_digests", "it does not have a digest for each of \(sequences) sequences") }
    self.digests = digests
  }

  func write(to path: String) throws {
    let staged = try StagedHDF5File(path: path, overwrite: true)
    let file = staged.file
    try file.setAttribute("format", to: Self.format)
    try file.setAttribute("version", to: Int64(1))
    try file.setAttribute("size", to: stamp.size)
    try file.setAttribute("modified", to: stamp.modified)
    try file.setAttribute("data", to: sampledIdentity)
    try file.write(digests.bytes, shape: [digests.count, FrameDigests.size], to: "/frame_digests")
    try staged.finish()
  }
}

/// What changes when a file is written to, and is the same on every host that sees it.
struct FileStamp: Equatable {
  let size: UInt64
  /// Nanoseconds since 1970.
  let modified: UInt64

  init(size: UInt64, modified: UInt64) { (self.size, self.modified) = (size, modified) }

  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw StorageError(
        file: path, problem: "it cannot be looked at: \(String(cString: strerror(errno)))", hint: "Check the path.")
    }
    size = UInt64(max(0, status.st_size))
    modified = UInt64(bitPattern: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
  }
}
