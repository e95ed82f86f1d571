import Foundation
import TestSupport
import Testing

/// What the program is given by the shell and the system around it.
@Suite struct SurroundingsTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Runs a shell command in the toy's folder, in which `$S` is the program.
  private func shell(_ command: String) throws -> ProcessOutcome {
    try ProcessRunner.run(
      "bash", ["-c", "cd '\(toy.folder.path)' || exit 99; \(command)"],
      environment: MPILauncher.environment.merging(["S": try BuiltProgram.trainer()]) { $1 })
  }

  private func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: toy.folder.path).sorted()
  }

  /// A name that is not UTF-8 would become another one.
  @Test(arguments: ["--run $'l\\xe4rm'", "--data $'d\\xff.h5' --run other", "$'\\xc0'"])
  func argumentsThatAreNotUTF8AreRefused(arguments: String) throws {
    let before = try contents()
    let outcome = try shell("$S train --steps 1 \(arguments)")
    #expect(outcome.exitCode == 64, "\(outcome)")
    #expect(outcome.standardError.contains(/argument \d is not UTF-8: '.*\\x[0-9a-f]{2}/), "\(outcome)")
    #expect(try contents() == before)
  }

  @Test func namesInUTF8AreKept() throws {
    let outcome = try shell("$S train --config toy.json --data train.h5 --steps 1 --run 'lärm 日本'")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(try contents().contains("lärm 日本"))
  }

  /// Without `/proc` every command would become `train` with its defaults. Needs the superuser, who can hide it.
  @Test(.enabled(if: geteuid() == 0)) func argumentsNeedNoProc() throws {
    let outcome = try shell("unshare -m bash -c \"mount -t tmpfs tmpfs /proc; timeout 20 $S config quick\"")
    #expect(outcome.exitCode == 0 && outcome.standardOutput.contains("\"training\""), "\(outcome)")
    #expect(try !contents().contains("run"))
  }

  /// Open MPI's folder there would be the same for all processes that are alone, and the first to end would remove it
  /// from under one that starts.
  @Test func aProcessThatIsAloneNeedsNoTemporaryFolder() throws {
    let outcome = try shell("TMPDIR=$PWD/missing $S train --config toy.json --data train.h5 --steps 1 --run run")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(try !contents().contains("missing"))
  }

  /// A colleague of the group continues the run.
  @Test(arguments: [("002", "664", "775"), ("022", "644", "755"), ("077", "600", "700")])
  func filesFollowTheUmask(mask: String, file: String, folder: String) throws {
    let outcome = try shell(
      "umask \(mask); $S train --config toy.json --data train.h5 --valid train.h5 --steps 4 --run run "
        + "--set validation.interval=2 --set pictures.interval=2 >/dev/null 2>&1 && find run -type f -printf '%m\\n' "
        + "| sort -u; echo --; find run -type d -printf '%m\\n' | sort -u")
    #expect(outcome.standardOutput == "\(file)\n--\n\(folder)\n", "\(outcome)")
  }

  /// What cannot work is refused before memory is taken, with the setting to lower.
  @Test(arguments: [
    ("--particles 4000000000000000000", "training.particles (now 4000000000000000000)"),
    ("--batch 9223372036854775807", "training.batchSize (now 9223372036854775807)"),
    ("--hidden 100000", "model.hiddenSize (now 100000)"),
    ("--hidden 9223372036854775806", "model.hiddenSize (now 9223372036854775806)"),
  ])
  func absurdSettingsAreRefusedByName(options: String, text: String) throws {
    let outcome = try shell("$S train --config toy.json --data train.h5 --run run \(options)")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("of memory would be needed"), "\(outcome)")
    #expect(outcome.standardError.contains(text), "\(outcome)")
  }

  /// Under such limits libraries hang, or end in a signal.
  @Test(arguments: [
    ("-v 250000", "memory is limited to 244 MB (ulimit -v)"), ("-v 750000", "memory is limited to 732 MB (ulimit -v)"),
    ("-d 100000", "memory is limited to 97 MB (ulimit -d)"),
    ("-n 10", "open files are limited to 10 (ulimit -n)"), ("-s 96", "the stack is limited to 96 kB (ulimit -s)"),
  ])
  func limitsThatAreTooLowAreNamed(limit: String, text: String) throws {
    for command in ["config", "train --config toy.json --data train.h5 --run run"] {
      let outcome = try shell("ulimit -c 0; ulimit \(limit) && exec $S \(command)")
      #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(limit): \(outcome)")
      #expect(outcome.standardError.contains("error: \(text)"), "\(limit): \(outcome)")
    }
  }

  @Test func manyParticlesOfAnEvaluationAreRefused() throws {
    #expect(try toy.train("run").exitCode == 0)
    for count in ["4000000000000000000", "9223372036854775807"] {
      let outcome = try shell("$S evaluate --checkpoint run --data train.h5 --particles \(count)")
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.standardError.contains("Lower --particles (now \(count))"), "\(outcome)")
    }
  }
}
