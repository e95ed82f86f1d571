import Foundation
import Storage
import TestSupport
import Testing

/// NumPy arrays of bytes.
@Suite struct NPYFileTests {
  private let folder: TemporaryDirectory
  private let path: String

  init() throws {
    folder = try TemporaryDirectory()
    path = folder.path("a.npy")
  }

  private func write(
    _ header: String, version: UInt8 = 1, claimed: Int? = nil, body: [UInt8] = [UInt8](0..<24)
  ) throws {
    let text = Array(header.utf8)
    let length = claimed ?? text.count
    let count = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    try Data([0x93] + Array("NUMPY".utf8) + [version, 0] + count + text + body).write(to: URL(fileURLWithPath: path))
  }

  @Test(arguments: [UInt8(1), 2, 3]) func anArrayIsRead(version: UInt8) throws {
    try write("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }   \n", version: version)
    let array = try NPYFile(path: path)
    #expect(array.shape == [2, 3, 4])
    #expect(try array.read(first: 5, count: 3) == [5, 6, 7])
    #expect(throws: StorageError.self) { try array.read(first: 23, count: 2) }
  }

  @Test func lengthsOfPython2AreRead() throws {
    try write("{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L, 4), }")
    #expect(try NPYFile(path: path).shape == [2, 3, 4])
  }

  @Test func aFolderIsRefusedAsSuch() throws {
    let error = #expect(throws: StorageError.self) { try NPYFile(path: folder.path) }
    #expect(error?.problem == "this is a folder, not a file")
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "it holds '<f4' where uint8"),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (24,), }", "it holds '|O' where uint8"),
    ("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 12), }", "it is in Fortran order"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 13), }", "needs 26 bytes, and 24 follow"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 23), }", "needs 23 bytes, and 24 follow"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 24), }", "needs 0 bytes, and 24 follow"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -12), }", "its header does not say"),
    (
      "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
      "is larger than any file"
    ),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", "is larger than any file"),
    ("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (24,), }", "its header does not say"),
    ("", "its header does not say"),
  ]) func aHeaderThatLiesIsRefused(header: String, problem: String) throws {
    try write(header)
    let error = #expect(throws: StorageError.self) { try NPYFile(path: path) }
    #expect(error?.problem.contains(problem) == true, "\(String(describing: error))")
  }

  @Test(.timeLimit(.minutes(1))) func aPipeIsRefusedAtOnce() throws {
    #expect(mkfifo(path, 0o600) == 0)
    let error = #expect(throws: StorageError.self) { try NPYFile(path: path) }
    #expect(error?.problem == "this is a pipe, not a file")
  }

  @Test func otherFilesAreRefused() throws {
    try write("{}", version: 2, claimed: 1 << 31)
    #expect(throws: StorageError.self) { try NPYFile(path: path) }
    try write("{}", version: 9)
    #expect(throws: StorageError.self) { try NPYFile(path: path) }
    try write("{}", claimed: 1000)
    #expect(throws: StorageError.self) { try NPYFile(path: path) }
    try Data("PK\u{3}\u{4} an npz".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: StorageError.self) { try NPYFile(path: path) }
    #expect(error?.problem.contains("it is not a NumPy array but an archive of arrays") == true)
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(throws: StorageError.self) { try NPYFile(path: path) }
    #expect(throws: StorageError.self) { try NPYFile(path: folder.path("absent.npy")) }
  }
}
