import Cluster
import ClusterExercises
import Foundation

// One rank of the jobs that ClusterTests start: `cluster-probe EXERCISE [ARGUMENT]`.

func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

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

  case "exercises":
    for exercise in Exercise.allCases {
      let line = try exercise.run(on: communicator).replacingOccurrences(of: "\n", with: "\\n")
      say("\(exercise.rawValue) \(rank) \(line)")
    }

  case "die":
    if rank == argument { kill(getpid(), SIGKILL) }
    try communicator.barrier()
    say("rank \(rank) passed the barrier")

  case "die-sharing":
    // The files behind shared memory of this job, then the death of a rank that holds some of it.
    let memory = try HostMemory.allocate(bytes: 1 << 20, communicator)
    try memory?.synchronize()
    let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n")
    let files = maps.compactMap { line in
      line.firstRange(of: " /dev/shm/").map { String(line[$0.lowerBound...].dropFirst()) }
    }
    if rank == argument { say("shared \(memory != nil)\n" + Set(files).sorted().joined(separator: "\n")) }
    try communicator.barrier()
    if rank == argument { kill(getpid(), SIGKILL) }
    try memory?.synchronize()
    say("rank \(rank) passed")

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

  case "agree":
    try communicator.limitingStart("to compare the settings of") { try communicator.barrier() }

  case "never-agree":
    while true { usleep(5_000) }

  case "ignore-signal":
    try StopSignals.install()
    say("ready")
    while true { usleep(5_000) }

  case "ignore-signal-for":
    try StopSignals.install(secondsToEnd: argument)
    StopSignals.removeAtEnd(CommandLine.arguments.dropFirst(3).first)
    say("ready")
    while true { usleep(5_000) }

  default:
    FileHandle.standardError.write(Data("error: there is no exercise \(exercise)\n".utf8))
    exit(64)
  }
  try communicator.finish()
  try communicator.finish()
} catch {
  FileHandle.standardError.write(Data("error: \(error)\n".utf8))
  exit(2)
}
