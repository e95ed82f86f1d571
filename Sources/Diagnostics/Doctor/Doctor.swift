import Cluster
import Foundation
import Numerics
import Report
import Storage
import Training

/// Checks whether a job would run well on these processes, and prints the result. Every process of the job calls this.
///
/// - Parameters:
///   - runDirectory: the folder in which a run would write; need not exist.
///   - json: whether to print one JSON object instead of lines.
///   - isStrict: whether a warning counts as a failure.
/// - Returns: the exit code of this process: 1 on rank 0 if a job would fail, else 0.
public func runDoctor(runDirectory: String, json: Bool, isStrict: Bool) throws -> Int32 {
  LinearAlgebra.prepare()
  // A fault between the ranks must not block the checks forever.
  let watchdog = Watchdog(
    limit: 60, advice: "The ranks cannot communicate: check that host, and the network between the hosts.")
  defer { watchdog.stop() }
  let communicator = try Communicator.start()
  try watchdog.join(communicator)
  let checks = try Doctor(communicator, runDirectory: runDirectory).examine()
  try watchdog.leave(communicator)
  try communicator.finish()
  guard communicator.isRoot else { return 0 }
  let passed = !checks.contains { $0.state == .fail || isStrict && $0.state == .warn }
  print(
    json
      ? try MeasurementJSON.line(DoctorReport(passed: passed, ranks: communicator.size, checks: checks)) : checks.text)
  return passed ? 0 : 1
}

/// The result as JSON.
private struct DoctorReport: Encodable {
  let passed: Bool
  let ranks: Int
  let checks: [HealthCheck]
}

/// Measurements by all processes together.
private struct Doctor {
  let communicator: Communicator
  let runDirectory: String

  init(_ communicator: Communicator, runDirectory: String) {
    self.communicator = communicator
    self.runDirectory = runDirectory
  }

  /// - Returns: the checks on rank 0, none on the other ranks.
  func examine() throws -> [HealthCheck] {
    var facts = RankFacts(communicator)
    facts.runFolder = runDirectory
    try communicator.barrier()
    let product = ReferenceProduct()
    // Other programs can only slow it down.
    facts.rate = (0..<5).map { _ in product.measureRate().elapsed }.max()!
    (facts.clockOffset, facts.clockError) = try compareClocks()
    try measureNetwork(&facts)
    let folder = try checkFolder(&facts)
    let texts = try communicator.gather(String(decoding: JSONEncoder().encode(facts), as: UTF8.self))
    guard communicator.isRoot else { return [] }
    return Diagnosis(try texts.map { try JSONDecoder().decode(RankFacts.self, from: Data($0.utf8)) }, folder).checks
  }

  private static var wallClock: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Rank 0 reads its clock between two readings of this rank. The round with the shortest interval counts.
  private func compareClocks() throws -> (offset: Double, error: Double) {
    var best = (offset: 0.0, error: Double.infinity)
    for _ in 0..<30 {
      let before = Self.wallClock
      try communicator.barrier()
      var root = Self.wallClock
      try withUnsafeMutableBytes(of: &root) { try communicator.broadcast($0) }
      let after = Self.wallClock
      let error = (after - before) / 2
      if error < best.error { best = (before + error - root, error) }
    }
    return communicator.isRoot ? (0, 0) : best
  }

  /// Sums known numbers over all ranks, verifies the result and measures the time.
  private func measureNetwork(_ facts: inout RankFacts) throws {
    let size = communicator.size
    guard size > 1 else { return }
    var seconds: [Double] = []
    for _ in 0..<200 {
      let begin = StageClock.now
      let sum = try communicator.sum(Double(communicator.rank + 1))
      seconds.append(StageClock.now - begin)
      if sum != Double(size * (size + 1) / 2) { facts.receivesRight = false }
    }
    facts.latency = Spread(seconds).median

    // Sums of small whole numbers are exact in any order.
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: Diagnosis.gradientCount)
    defer { values.deallocate() }
    seconds.removeAll()
    for _ in 0..<6 {
      for index in values.indices { values.initializeElement(at: index, to: Float(index % 97 + communicator.rank)) }
      try communicator.barrier()
      let begin = StageClock.now
      try communicator.sum(values)
      seconds.append(StageClock.now - begin)
      for index in values.indices where values[index] != Float(index % 97 * size + size * (size - 1) / 2) {
        facts.receivesRight = false
      }
    }
    // The first sets up connections.
    facts.gradientSeconds = Spread(Array(seconds.dropFirst())).median
  }

  /// Rank 0 writes a small file and locks it; the other ranks read it and try to take the lock.
  private func checkFolder(_ facts: inout RankFacts) throws -> FolderFacts {
    var path = runDirectory
    while path != "/", path != ".", !FileManager.default.fileExists(atPath: path) { path = parentFolder(of: path) }
    let folder = try communicator.broadcast(path == "." ? FileManager.default.currentDirectoryPath : path)
    let name = try communicator.broadcast("\(folder)/.doctor-\(getpid())")
    var found = FolderFacts(path: folder, freeBytes: FileSystem.freeBytes(in: folder))
    var descriptor: Int32 = -1
    defer {
      if descriptor >= 0 {
        close(descriptor)
        if communicator.isRoot { unlink(name) }
      }
    }
    if communicator.isRoot {
      descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      if descriptor < 0 || write(descriptor, "here", 4) != 4 || fsync(descriptor) != 0 {
        found.writingProblem = String(cString: strerror(errno))
      } else if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        found.lockingProblem = String(cString: strerror(errno))
      }
    }
    let isWritten = try communicator.maximum(Int64(communicator.isRoot && found.writingProblem == nil ? 1 : 0)) == 1
    if !communicator.isRoot, isWritten {
      descriptor = open(name, O_RDWR | O_CLOEXEC)
      var text = [UInt8](repeating: 0, count: 4)
      facts.seesFolder = descriptor >= 0 && read(descriptor, &text, 4) == 4 && text == Array("here".utf8)
      if facts.seesFolder {
        facts.isLockedOut = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? false : errno == EWOULDBLOCK ? true : nil
      }
    }
    try communicator.barrier()
    return found
  }
}
