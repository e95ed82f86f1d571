import Foundation
import Storage
import Synchronization
import TestSupport

// A process that saves checkpoints, for the tests that kill it or read beside it, or opens a file that may be hostile:
// `storage-probe EXERCISE PATH NUMBER`.

// What HDF5 may do to the process that looks at the structure of a file.
if CommandLine.arguments.count == 3, let fate = ProcessInfo.processInfo.environment["STORAGE_PROBE_FATE"] {
  if fate == "abort" { abort() }
  if fate == "memory" { exit(71) }
  var limits = rlimit(rlim_cur: 1, rlim_max: 1)
  setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limits)
  while true {}
}
HDF5StructureCheck.runIfAsked()

let arguments = CommandLine.arguments
guard arguments.count == 4, let number = Int(arguments[3]) else {
  FileHandle.standardError.write(Data("storage-probe kill|save|open PATH NUMBER\n".utf8))
  exit(64)
}
let folder = arguments[2]

switch arguments[1] {
case "kill":
  // Saves the next step; kills itself before its operation of this number, counted from 1 and also before folders are
  // made. Ends with 0 if there are fewer.
  let steps = try CheckpointStore(readingFrom: folder).list().map(\.step)
  let calls = Mutex(0)
  let system = FileSystem.posix.watched(maximumWrite: 20_000) {
    let call = calls.withLock {
      $0 += 1
      return $0
    }
    if call == number { kill(getpid(), SIGKILL) }
  }
  let store = try CheckpointStore(directory: folder, retention: .init(keepLast: 2), fileSystem: system)
  _ = try store.commit(NumberedCheckpoint.make(step: (steps.last ?? 0) + 1))

case "save":
  // Saves that many steps as fast as it can, each second one twice, so that files are also replaced.
  let store = try CheckpointStore(directory: folder, retention: .init(keepLast: 2))
  for step in 1...UInt64(number) {
    _ = try store.commit(NumberedCheckpoint.make(step: step))
    if step % 2 == 0 { _ = try store.commit(NumberedCheckpoint.make(step: step)) }
  }

case "open":
  // Opens a sequence file or a checkpoint and reads all of it; ends with 1 and the error for one that is refused.
  do {
    let file = try HDF5File(reading: folder)
    if try file.hasAttribute("format"), try file.textAttribute("format") == Checkpoint.format {
      _ = try Checkpoint(reading: folder)
    } else {
      let file = try SequenceFile(path: folder)
      try file.verify()
      print(file.identity)
    }
  } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
  }

default:
  exit(64)
}
