import Foundation
import Storage
import Synchronization
import TestSupport

// A process that saves checkpoints, for the tests that kill it or read beside it: `storage-probe EXERCISE FOLDER NUMBER`.

let arguments = CommandLine.arguments
guard arguments.count == 4, let number = Int(arguments[3]) else {
  FileHandle.standardError.write(Data("storage-probe kill|save FOLDER NUMBER\n".utf8))
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

default:
  exit(64)
}
