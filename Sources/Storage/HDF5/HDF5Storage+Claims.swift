import Foundation

/// Claims of a data set compared with what there is, before any memory is taken for it.
extension HDF5Storage {
  /// Throws unless a file of this size can hold the data set, and what lies outside is there and in the file's folder.
  ///
  /// - Parameters:
  ///   - type: that of the data set's elements.
  ///   - shape: that of the data set; the product of its bytes fits an `Int`.
  ///   - path: the data set, for errors.
  func verifyClaims(type: HDF5Type, shape: [Int], _ path: String, in file: HDF5File) throws {
    let bytes = shape.reduce(elementSize, *)
    guard bytes > 0 else { return }
    func neverWritten() -> StorageError {
      StorageError(
        file: file.path, part: path, problem: "its elements were never written",
        hint: "The program that made the file did not finish: create it again.")
    }
    func tooMuch(_ claim: String) -> StorageError {
      file.damaged(path, "\(claim), but the file has \(file.size) bytes")
    }
    if !externalSources.isEmpty { return try verifyExternal(bytes: bytes, path, in: file) }
    switch layout {
    case .virtual:
      try verifyVirtual(type: type, elements: bytes / elementSize, path, in: file)
    case .compact, .contiguous:
      guard size > 0 else { throw neverWritten() }
      guard size >= bytes else {
        throw file.damaged(path, "it holds \(size) of the \(bytes) bytes of its shape \(shape)")
      }
      if layout == .contiguous {
        guard let address else { throw neverWritten() }
        let (end, overflow) = address.addingReportingOverflow(size)
        guard !overflow, end <= file.size else { throw tooMuch("its shape \(shape) takes \(bytes) bytes") }
      }
    case .chunked:
      guard zip(chunk, shape).allSatisfy({ $0 > 0 && $1 > 0 }) else { throw file.damaged(path, "it has empty chunks") }
      guard size <= file.size else { throw tooMuch("its chunks take \(size) bytes") }
      // Without filters every chunk takes its bytes, whatever the index says of it.
      let chunks = zip(shape, chunk).reduce(1) { $0 * (($1.0 + $1.1 - 1) / $1.1) }
      let (expected, overflow) = chunks.multipliedReportingOverflow(by: chunkBytes)
      guard !filters.isEmpty || !overflow && size == expected else {
        throw StorageError(
          file: file.path, part: path,
          problem: "its chunks take \(size) bytes where its shape \(shape) takes \(expected)",
          hint: "Some of it was never written, or the file is damaged: create it again.")
      }
      let factor = filters.contains(.deflate) ? HDF5Filter.largestInflation : 1
      let most = Int(clamping: file.size).multipliedReportingOverflow(by: factor)
      guard most.overflow || bytes <= most.partialValue else {
        throw StorageError(
          file: file.path, part: path,
          problem: "its shape \(shape) takes \(bytes) bytes, more than a file of \(file.size) bytes can hold",
          hint: "Most of it was never written, or the file is damaged: create it again.")
      }
    }
  }

  private func verifyExternal(bytes: Int, _ path: String, in file: HDF5File) throws {
    var total: UInt64 = 0
    for source in externalSources {
      let found = try Self.source(source.name, "the elements are in", path, in: file)
      let there = UInt64(found.size) - min(UInt64(found.size), UInt64(clamping: source.offset))
      let size = source.size == .max ? there : source.size
      guard source.offset >= 0, size <= there else {
        throw StorageError(
          file: file.path, part: path,
          problem: "\(found.path) ends before the \(source.size) bytes at \(source.offset) that belong here",
          hint: "Copy it again from its source, or create the file again.")
      }
      total = total.addingReportingOverflow(size).partialValue
    }
    guard total >= bytes else {
      throw file.damaged(path, "the files outside hold \(total) of its \(bytes) bytes")
    }
  }

  private func verifyVirtual(type: HDF5Type, elements: Int, _ path: String, in file: HDF5File) throws {
    var total = 0
    for source in virtualSources {
      guard !source.file.contains("%"), !source.path.contains("%"), source.elements > 0 else {
        throw StorageError(
          file: file.path, part: path,
          problem: "it is assembled from files by a name pattern, which this program does not support",
          hint: "Write it again as one file: h5repack -l CONTI OLD NEW.")
      }
      total = total.addingReportingOverflow(Int(source.elements)).partialValue
      let sourceFile: HDF5File
      if source.file == "." {
        sourceFile = file
      } else {
        let found = try Self.source(source.file, "it is assembled from", path, in: file)
        sourceFile = try HDF5File(reading: found.path)
      }
      guard source.file != "." || source.path != path else { throw file.damaged(path, "it is its own source") }
      let set = try sourceFile.dataSet(source.path)
      guard set.storage?.layout != .virtual else {
        throw StorageError(
          file: file.path, part: path, problem: "its source \(sourceFile.path) is virtual too",
          hint: "Write it again as one file: h5repack -l CONTI OLD NEW.")
      }
      // HDF5 converts silently, and grey values from 0 to 1 become black.
      guard set.type == type, set.storage?.elementSize == elementSize else {
        throw StorageError(
          file: file.path, part: path,
          problem: "its source \(sourceFile.path) holds \(set.type.name), and this data set \(type.name)",
          hint: "Write the numbers again as one data set of \(type.name), scaled as the format says.")
      }
      try set.requireComplete()
    }
    guard total >= elements else {
      throw StorageError(
        file: file.path, part: path, problem: "only \(total) of its \(elements) elements have a source",
        hint: "The other elements would be zeros: create the file again with all sources.")
    }
  }

  /// A file that a data set names, which must be a regular file in the folder of the data set's own, or below.
  private static func source(
    _ name: String, _ relation: String, _ path: String, in file: HDF5File
  ) throws -> (path: String, size: Int) {
    let home = folder(of: file.path)
    let candidate = name.hasPrefix("/") ? name : home + "/" + name
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: file.path, part: path, problem: "\(relation) '\(name.printable)', \(problem)", hint: hint)
    }
    guard let real = realpath(candidate, nil) else {
      throw refuse("which is not there", "Put that file back, or write all into one file: h5repack -l CONTI OLD NEW.")
    }
    defer { free(real) }
    guard let realHome = realpath(home, nil) else { throw refuse("whose folder cannot be found", "Check the path.") }
    defer { free(realHome) }
    let (found, root) = (String(cString: real), String(cString: realHome))
    guard found.hasPrefix(root == "/" ? root : root + "/") else {
      throw refuse(
        "which is outside of the folder of the file",
        "Only files of the same folder are read: copy it there, or write all into one file.")
    }
    guard case .regular(let size) = FileKind(of: found) else {
      throw refuse("which is no regular file", "Put the file itself there.")
    }
    return (found, size)
  }
}
