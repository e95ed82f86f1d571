import CMPI
import Foundation
import Testing

@Suite struct SharedMemoryTests {
  private let page = Int64(4096)

  /// Beyond the end of its file a store to a mapping ends the process, as on a full disk of shared memory.
  @Test func pagesThatAreNotThereAreNoticed() throws {
    let descriptor = shared_memory_create(2 * page)
    try #require(descriptor >= 0)
    let start = try #require(shared_memory_map(descriptor, 4 * page))
    #expect(shared_memory_populate_by_writing(start, 2 * page))
    #expect(!shared_memory_populate_by_writing(start, 4 * page))
    #expect(shared_memory_populate(start, 2 * page) && !shared_memory_populate(start, 4 * page))
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(2 * page))
    #expect(bytes.allSatisfy { $0 == 0 })
    shared_memory_unmap(start, 4 * page)
  }

  /// Every user may open the folder of shared memory, so a lock on it would hold up everybody's jobs.
  @Test func aTurnLocksAFileOfThisUser() throws {
    let turn = shared_memory_begin_turn(10)
    try #require(turn >= 0)
    defer { shared_memory_end_turn(turn) }
    let folder = String(cString: shared_memory_directory())
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    try #require(descriptor >= 0)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    close(descriptor)
    var status = stat()
    let found = lstat("\(folder)/.sqair-dist-\(geteuid()).lock", &status)
    #expect(found == 0 && status.st_mode == S_IFREG | 0o600 && status.st_size == 0 && status.st_uid == geteuid())
  }

  @Test func nobodyWaitsForAJobThatHangs() {
    // Other tests of this process share memory too.
    let first = shared_memory_begin_turn(10)
    #expect(first >= 0)
    let second = shared_memory_begin_turn(0)
    #expect(second == -1)
    for turn in [second, first] { shared_memory_end_turn(turn) }
  }

  @Test func aTurnThatIsOverLeavesNothing() throws {
    let turn = shared_memory_begin_turn(10)
    try #require(turn >= 0)
    let copy = dup(turn)
    shared_memory_end_turn(turn)
    var status = stat()
    let found = fstat(copy, &status)
    close(copy)
    #expect(found == 0 && status.st_nlink == 0)
  }
}
