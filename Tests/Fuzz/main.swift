import ArgumentParser
import Foundation
import Storage

/// Feeds damaged and hostile files to everything that reads files, and reports what does not end in a clear error.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Feeds mutated files to the readers of sqair-dist.",
    discussion: """
      Each mutation is read in a child process with limits on time and memory. A signal, a hang, a memory blow-up or an \
      error that does not name the file is a finding: its file is kept, and the exit code is 1. The same seed gives the \
      same mutations. A finding that is fixed goes to Tests/Fuzz/Found, where it is read again by every later run.
      """)

  @Option(help: "Mutations of each format.")
  var mutations = 1_000

  @Option(help: "Stop after this many seconds, whatever is left. 0: no limit.")
  var seconds = 0.0

  @Option(help: "Seed of the mutations.")
  var seed: UInt64 = 1

  @Option(help: "Only this format: \(InputFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
  var format: String?

  @Option(help: "Folder for findings.")
  var findings = "fuzz-findings"

  @Option(help: "Read this one file in this process, as --format, and print what comes of it.")
  var input: String?

  @Flag(help: ArgumentHelp("Read the files named on standard input, one answer each.", visibility: .hidden))
  var reader = false

  func run() throws {
    let formats = try format.map { name in
      guard let format = InputFormat(rawValue: name) else { throw ValidationError("there is no format '\(name)'") }
      return [format]
    }
    if reader { return Reader.answer() }
    if let input {
      guard let format = formats?.first else { throw ValidationError("--input needs --format") }
      try format.read(input)
      return print("accepted")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sqair-fuzz-\(getpid())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let deadline = seconds > 0 ? Date(timeIntervalSinceNow: seconds) : .distantFuture
    print(Tally.header)
    var campaign = try Campaign(folder: folder, findings: findings, seed: seed)
    for format in formats ?? InputFormat.allCases {
      let share = (formats ?? InputFormat.allCases).count
      let end = seconds > 0 ? min(deadline, Date(timeIntervalSinceNow: seconds / Double(share))) : deadline
      try campaign.run(format, mutations: mutations, until: end)
      // A long campaign is watched, in a file too.
      fflush(nil)
    }
    campaign.stop()
    print("\(campaign.mutationCount) passed, \(campaign.findingCount) failed")
    if campaign.findingCount > 0 { throw ExitCode(1) }
  }
}

HDF5StructureCheck.runIfAsked()
Fuzz.main()
