import Foundation

/// The digests of the frames of a data set as they were found at some time, kept beside a run.
struct FrameDigestRecord: Equatable {
  static let format = SequenceFile.digestRecordFormat

  /// What is known of one file.
  struct Entry: Equatable {
    let stamp: FileStamp
    let digests: FrameDigests
  }

  /// Of the whole set; it tells the list of files apart.
  let sampledIdentity: String
  /// In the order of the set.
  let files: [Entry]

  init(sampledIdentity: String, files: [Entry]) { (self.sampledIdentity, self.files) = (sampledIdentity, files) }

  /// Reads a record.
  ///
  /// - Parameter sequences: the number of sequences in each file.
  /// - Throws: `StorageError` for a file that is none, or is of other numbers of sequences.
  init(reading path: String, sequences: [Int]) throws {
    let file = try HDF5File(reading: path)
    try file.requireFormat(Self.format, latest: 2, hint: "Remove it: it is made again.")
    sampledIdentity = try file.textAttribute("data")
    var stamps: [FileStamp]
    if try file.hasAttribute("size") {
      stamps = [
        FileStamp(size: try file.unsignedAttribute("size"), modified: try file.unsignedAttribute("modified"))
      ]
    } else {
      let sizes = try file.dataSet("/sizes").readAll(as: UInt64.self)
      stamps = zip(sizes, try file.dataSet("/modified").readAll(as: UInt64.self)).map(FileStamp.init)
    }
    let set = try file.dataSet("/frame_digests")
    let total = sequences.reduce(0, +)
    guard stamps.count == sequences.count, set.type == .uint8, set.shape == [total, FrameDigests.size],
      let all = FrameDigests(bytes: try set.readAll(as: UInt8.self), sequences: total)
    else {
      throw file.damaged(
        "/frame_digests", "it does not have a digest for each of \(total) sequences in \(sequences.count) files")
    }
    var first = 0
    files = zip(stamps, sequences).map { stamp, count in
      defer { first += count }
      return Entry(stamp: stamp, digests: all.part(first..<first + count))
    }
  }

  /// Writes a record: of one file as version 1, which earlier programs read, and of several as version 2.
  func write(to path: String) throws {
    let staged = try StagedHDF5File(path: path, overwrite: true)
    let file = staged.file
    try file.setAttribute("format", to: Self.format)
    try file.setAttribute("version", to: Int64(files.count == 1 ? 1 : 2))
    try file.setAttribute("data", to: sampledIdentity)
    if files.count == 1 {
      try file.setAttribute("size", to: files[0].stamp.size)
      try file.setAttribute("modified", to: files[0].stamp.modified)
    } else {
      try file.write(files.map(\.stamp.size), shape: [files.count], to: "/sizes")
      try file.write(files.map(\.stamp.modified), shape: [files.count], to: "/modified")
    }
    let bytes = files.flatMap(\.digests.bytes)
    try file.write(bytes, shape: [bytes.count / FrameDigests.size, FrameDigests.size], to: "/frame_digests")
    try staged.finish()
  }
}
