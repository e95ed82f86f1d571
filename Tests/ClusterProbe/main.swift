import Cluster
import Foundation

// One rank of the jobs that ClusterTests start: `cluster-probe EXERCISE [ARGUMENT]`. What a test compares goes to
// standard output of rank 0 unless the exercise is about the other ranks.

/// The failure that an exercise asks for.
struct WantedFailure: Error, CustomStringConvertible {
  let description: String
}

func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// Leaves as a program does whose ranks all know about the error: rank 0 speaks, everyone leaves MPI, code 1.
func leave(_ communicator: Communicator, with error: any Error) throws -> Never {
  if communicator.isRoot { FileHandle.standardError.write(Data("error: \(error)\n".utf8)) }
  try communicator.finish()
  exit(1)
}

do {
  let exercise = CommandLine.arguments.dropFirst().first ?? "identity"
  let argument = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 0
  let communicator = try Communicator.start()
  let rank = communicator.rank, size = communicator.size

  switch exercise {
  case "identity":
    say(
      "rank \(rank) of \(size), \(communicator.rankOnHost) of \(communicator.ranksOnHost) on host, "
        + "\(communicator.launch.launcher), threads \(communicator.threadLevel)")

  case "numbers":
    var floats = (0..<5).map { Float($0 + rank) }
    try communicator.sum(&floats)
    var integers = [Int64(rank), Int64.max - Int64(size)]
    integers[1] = rank == 0 ? integers[1] : 0
    try communicator.sum(&integers)
    let double = try communicator.sum(0.5 + Double(rank))
    var extremes: [Double] = [Double(rank), -Double(rank)]
    try extremes.withUnsafeMutableBufferPointer { try communicator.maximum($0) }
    let least = try communicator.minimum(Float(rank + 3))
    let empty: [Float] = try {
      var none: [Float] = []; try communicator.sum(&none); return none
    }()
    // Every rank must hold the same: each prints, the test compares the lines.
    say("\(floats) \(integers) \(double) \(extremes) \(least) \(empty.count)")

  case "parts":
    // Rank r's part of a vector of 10 is what RankShare gives it; element i of rank r's vector is 100 r + i.
    let parts = (0..<size).map { RankShare.range(of: 10, rank: $0, size: size) }
    var values = (0..<10).map { Float(100 * rank + $0) }
    // Odd ranks send nothing, and nobody sends to itself.
    func isSent(from sender: Int, to receiver: Int) -> Bool { sender != receiver && sender % 2 == 0 }
    let sending = (0..<size).map { isSent(from: rank, to: $0) ? parts[$0] : 0..<0 }
    let receiving = (0..<size).map { isSent(from: $0, to: rank) ? $0 * 10..<$0 * 10 + parts[rank].count : 0..<0 }
    var received = [Float](repeating: -1, count: 10 * size)
    try values.withUnsafeMutableBufferPointer { values in
      try received.withUnsafeMutableBufferPointer {
        try communicator.exchange(values, sending: RankParts(sending), into: $0, receiving: RankParts(receiving))
      }
      try communicator.share(values, parts: RankParts(parts))
    }
    say("\(rank): \(received.filter { $0 >= 0 }.map { Int($0) }) \(values.map { Int($0) })")

  case "texts":
    // Sizes differ, one of them is zero, and the characters are longer than a byte.
    let texts = try communicator.gather(String(repeating: "é", count: rank) + (rank == 0 ? "" : "\(rank)"))
    let heard = try communicator.broadcast(rank == 0 ? "grüße, \(size)" : "ignored, and longer than the other text")
    let bytes = try communicator.broadcast(rank == 0 ? [1, 2, 255] : [])
    let nothing = try communicator.broadcast(rank == 0 ? "" : "something")
    say("\(heard) \(bytes) [\(nothing)]" + (rank == 0 ? " \(texts)" : " \(texts.count)"))

  case "large":
    // More elements than a pipe or a socket takes at once.
    var values = [Float](repeating: Float(rank + 1), count: 2_000_000)
    try communicator.sum(&values)
    let expected = Float(size * (size + 1) / 2)
    say("wrong: \(values.filter { $0 != expected }.count)")

  case "fail-one", "fail-all", "fail-none":
    do {
      let value = try communicator.collectively("opening the training data") {
        if exercise == "fail-all" || exercise == "fail-one" && rank == argument {
          throw WantedFailure(description: "/data/\"train\".h5 is not there; make it first")
        }
        return rank
      }
      say("rank \(rank) has \(value)")
    } catch {
      try leave(communicator, with: error)
    }

  case "fail-differently":
    do {
      try communicator.collectively("reading") {
        if rank > 0 { throw WantedFailure(description: rank % 2 == 0 ? "even" : "odd") }
      }
    } catch {
      try leave(communicator, with: error)
    }

  case "die":
    if rank == argument { kill(getpid(), SIGKILL) }
    try communicator.barrier()
    say("rank \(rank) passed the barrier")

  case "abort":
    if rank == argument { communicator.abort(code: 42) }
    try communicator.barrier()

  case "wait-for-signal":
    try StopSignals.install()
    try communicator.barrier()
    say("ready \(getpid())")
    // The loop of a run: the ranks agree after every step whether one of them was asked to stop.
    while try communicator.maximum(Int64(StopSignals.requested?.rawValue ?? 0)) == 0 { usleep(5_000) }
    say("rank \(rank) stops for \(StopSignals.requested.map { "\($0)" } ?? "another rank")")
    try communicator.finish()
    exit(communicator.isRoot ? 85 : 0)

  case "ignore-signal":
    try StopSignals.install()
    say("ready")
    while true { usleep(5_000) }

  case "topology":
    let topology = Topology(communicator)
    say("\(topology.threads()) thread, crowded: \(topology.crowding(threads: 1) != nil), bound: \(topology.isBound)")

  default:
    try leave(communicator, with: WantedFailure(description: "there is no exercise \(exercise)"))
  }
  try communicator.finish()
  try communicator.finish()
} catch {
  FileHandle.standardError.write(Data("error: \(error)\n".utf8))
  exit(2)
}
