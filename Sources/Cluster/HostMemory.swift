internal import CMPI
import Foundation

/// Memory that all ranks of a host see, each at an address of its own.
///
/// It belongs to the ranks of the host together: they make it, wait for each other with it and give it back together.
/// What one writes before `synchronize` the others read after it.
public final class HostMemory {
  /// Of zeros at first, aligned to a page.
  public let bytes: UnsafeMutableRawBufferPointer
  private let block: SharedBlock
  private let communicator: Communicator
  private var isReleased = false

  /// The first bytes of the block.
  private struct Control {
    var barrier = (UInt64(0), UInt64(0))
    var counter = Int64(0)
  }

  private static let page = 4096

  private init(_ block: SharedBlock, _ communicator: Communicator) {
    self.block = block
    self.communicator = communicator
    // For a rank that is alone on its host, Open MPI takes memory that was used before.
    if communicator.ranksOnHost == 1 { memset(block.start, 0, block.bytes) }
    bytes = UnsafeMutableRawBufferPointer(start: block.start + Self.page, count: block.bytes - Self.page)
  }

  /// Memory on every host of the job. Every rank calls this.
  ///
  /// - Returns: nil on all ranks if some host does not allow it, or has not as much; everything works then with
  ///   messages.
  public static func allocate(bytes: Int, _ communicator: Communicator) throws -> HostMemory? {
    let isAllowed = ProcessLimits.hasAddressSpace(for: bytes + 2 * page)
    guard try communicator.minimum(Int64(isAllowed ? 1 : 0)) == 1 else { return nil }
    // Two jobs checking simultaneously would both see free space that is enough for one. A job that takes longer than
    // this is not waited for: the pages are counted below in any case.
    let turn = communicator.rankOnHost == 0 ? shared_memory_begin_turn(3) : -1
    defer { shared_memory_end_turn(turn) }
    let memory = try communicator.performing("sharing \(bytes) bytes among the ranks of a host") {
      try communicator.transport.share(bytes: (bytes + 2 * page - 1) / page * page)
    }.map { HostMemory($0, communicator) }
    // Each rank takes its part of the pages, so that there is no later surprise.
    let isThere = memory?.populate() ?? false
    guard try communicator.minimum(Int64(isThere ? 1 : 0)) == 1 else {
      try memory?.release()
      return nil
    }
    return memory
  }

  /// This rank's range of the `count` items that the ranks of the host process together.
  public func part(of count: Int) -> Range<Int> {
    BlockPartition.range(of: count, rank: communicator.rankOnHost, size: communicator.ranksOnHost)
  }

  private func populate() -> Bool {
    let part = part(of: block.bytes / Self.page)
    return part.isEmpty
      || shared_memory_populate(block.start + part.lowerBound * Self.page, Int64(part.count * Self.page))
  }

  /// Waits until all ranks of this host have come.
  public func synchronize() throws {
    guard communicator.ranksOnHost > 1 else { return }
    try communicator.perform("waiting for the ranks of this host") {
      try communicator.transport.synchronizeHost(block.start)
    }
  }

  /// A number that no other rank of the host receives: 0, 1, 2, ... since `restartCounter`.
  public func nextNumber() -> Int { Int(shared_counter_next(counter)) }

  /// Adds 1 to a number in shared memory. Who receives n - 1 of n ranks that add 1 to a 0 is the last, and sees what
  /// the others have written before.
  ///
  /// - Returns: the number as it was.
  public static func addOne(to number: UnsafeMutablePointer<Int64>) -> Int { Int(shared_counter_next(number)) }

  /// Lets the counter begin at 0 again. One rank calls this, while no rank asks for a number.
  public func restartCounter() { shared_counter_set(counter, 0) }

  private var counter: UnsafeMutablePointer<Int64> {
    (block.start + MemoryLayout<Control>.offset(of: \.counter)!).assumingMemoryBound(to: Int64.self)
  }

  /// Gives the memory back, which no rank of the host uses any more. All of them call this.
  public func release() throws {
    guard !isReleased else { return }
    isReleased = true
    try communicator.perform("ending the shared memory of this host") { try communicator.transport.endSharing(block) }
  }
}
