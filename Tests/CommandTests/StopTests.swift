import Foundation
import Storage
import TestSupport
import Testing

/// Signals that ask a training to stop, in every phase of it, to every process that could get one.
///
/// What was learnt is saved, nothing is lost that was logged, the run says how it ended, and it resumes as if it had
/// not been stopped. Each phase is made to last, so that a run which waits for its end is found out.
@Suite struct StopTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  enum Phase: CaseIterable { case start, data, step, evaluation, checkpoint }
  enum Target: CaseIterable { case alone, launcher, root, other }

  struct Case: CustomTestStringConvertible {
    let phase: Phase
    let signal: Int32
    let target: Target
    var testDescription: String { "\(phase), \(Self.names[signal]!), \(target)" }
    private static let names = [SIGTERM: "TERM", SIGINT: "INT", SIGUSR1: "USR1"]
  }

  /// Every phase with every signal, and every phase with every target; all 60 combinations if `SQAIR_TEST_ALL_STOPS`
  /// is set.
  static let cases: [Case] = {
    let all = Phase.allCases.flatMap { phase in
      Target.allCases.flatMap { target in
        [SIGTERM, SIGUSR1, SIGINT].map { Case(phase: phase, signal: $0, target: target) }
      }
    }
    guard ProcessInfo.processInfo.environment["SQAIR_TEST_ALL_STOPS"] == nil else { return all }
    let targets = Target.allCases.count
    return all.indices.filter { number in
      let (phase, target, signal) = (number / (3 * targets), number / 3 % targets, number % 3)
      return (phase + target) % 3 == signal
    }.map { all[$0] }
  }()

  /// A run that is held up in a phase.
  private func options(_ phase: Phase) throws -> [String] {
    let endless = ["--steps", "1000000", "--set", "checkpoint.interval=1000000"]
    switch phase {
    case .start:
      // The built-in data take a while to make.
      return ["--steps", "2", "--frames", "3", "--set", "data.builtin.trainSequences=500000"]
    case .data:
      // Three frames of forty thousand that lie in one piece on the disk.
      let data = try ToySequences.write(
        to: toy.path("long.h5"), sequences: 2, frames: 40_000, hasTruth: false)
      return endless + ["--data", data, "--batch", "192"]
    case .step:
      return endless
    case .evaluation:
      let valid = try ToySequences.write(to: toy.path("valid.h5"), sequences: 1500)
      return endless + [
        "--valid", valid, "--set", "validation.interval=2", "--set", "validation.sequences=1000000",
      ]
    case .checkpoint:
      return ["--steps", "1000000", "--set", "checkpoint.interval=1", "--hidden", "256"]
    }
  }

  /// Waits until the run is in the phase.
  private func wait(for phase: Phase) -> Bool {
    func exists(_ folder: String, _ prefix: String) -> Bool {
      (try? FileManager.default.contentsOfDirectory(atPath: toy.path("run") + folder))?
        .contains { $0.hasPrefix(prefix) } ?? false
    }
    let limit = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < limit {
      let isThere =
        switch phase {
        case .start: exists("/data", ".train")
        case .data: toy.metrics("run").count >= 1
        case .step: toy.metrics("run").count >= 3
        case .evaluation: toy.metrics("run").count >= 2
        case .checkpoint: exists("/checkpoints", ".step-")
        }
      if isThere { return true }
      usleep(1_000)
    }
    return false
  }

  @Test(arguments: cases)
  func aSignalStopsTheRunWhateverItDoes(stop: Case) throws {
    let options = try options(stop.phase)
    let arguments =
      stop.phase == .start
      ? ["train", "--config", toy.configuration, "--run", toy.path("run")] + options : toy.arguments("run", options)
    // When mpirun gets TERM or INT itself it sends TERM to the ranks after a while, and KILL after another.
    let isEndedByLauncher = stop.target == .launcher && stop.signal != SIGUSR1
    let patience = isEndedByLauncher ? ["OMPI_MCA_odls_base_sigkill_timeout": "2"] : [:]
    let job =
      stop.target == .alone
      ? try ProcessRunner.start(BuiltProgram.trainer(), arguments, environment: MPILauncher.environment)
      : try MPILauncher.start(ranks: 2, arguments: arguments, environment: patience)
    #expect(wait(for: stop.phase))
    let logged = toy.loggedSteps("run").last ?? 0
    switch stop.target {
    case .alone, .launcher: job.send(stop.signal)
    case .root: kill(try #require(MPILauncher.ranks(of: job).first), stop.signal)
    case .other: kill(try #require(MPILauncher.ranks(of: job).last), stop.signal)
    }
    let outcome = try job.wait(timeout: 45)
    #expect(!outcome.timedOut, "\(outcome)")
    if !isEndedByLauncher {
      #expect(outcome.exitCode == (stop.signal == SIGINT ? 130 : 85), "\(outcome)")
    } else {
      #expect(outcome.exitCode != 0, "\(outcome)")
    }

    let last = toy.loggedSteps("run").last ?? 0
    switch stop.phase {
    case .start:
      #expect(last == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: toy.path("run") + "/data") == [])
      return
    case .data, .evaluation:
      // Nothing was waited for.
      #expect(last == logged || isEndedByLauncher)
      #expect(toy.figures("run").count { $0["valid/bound"] != nil } == 0)
    case .step, .checkpoint:
      break
    }
    #expect(try toy.checkpointSteps("run").last == last, "\(outcome)")
    #expect(outcome.standardError.contains("asked to stop: saved after \(last) updates"), "\(outcome)")
    guard stop.phase == .step || stop.phase == .checkpoint else { return }
    let resumed = try ToyRun.program(toy.arguments("run", options + ["--steps", "\(last + 2)"]))
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...last + 2))
  }

  /// A validation that a stop has cut off is made up for before the run continues.
  @Test func workSkippedByAStopIsDoneOnResume() throws {
    let valid = try ToySequences.write(to: toy.path("valid.h5"), sequences: 400)
    let options = [
      "--steps", "3", "--valid", valid, "--set", "validation.interval=2", "--set", "pictures.interval=2",
      "--set", "generation.interval=2",
    ]
    #expect(try ToyRun.program(toy.arguments("whole", options)).exitCode == 0)
    let job = try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", options), environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(2, of: "run"))
    job.send(SIGUSR1)
    let outcome = try job.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(toy.figures("run").count == 2)
    #expect(try ToyRun.program(toy.arguments("run", options), ranks: 2).exitCode == 0)
    #expect(toy.figures("run") == toy.figures("whole"))
    let pictures = try ["run", "whole"].map {
      try FileManager.default.contentsOfDirectory(atPath: toy.path($0) + "/pictures").sorted()
    }
    #expect(pictures[0] == pictures[1] && pictures[0].count == 6)
  }

  /// With one limit for both, the system would kill the process without a signal that it can answer.
  @Test func aTrainingSavesBeforeItsProcessorTimeIsOver() throws {
    let arguments = toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.interval=1000000"])
    let outcome = try ProcessRunner.run(
      "bash", ["-c", "ulimit -t 4; exec \"$@\"", "bash", try BuiltProgram.trainer()] + arguments,
      environment: MPILauncher.environment, timeout: 120)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(try toy.checkpointSteps("run") == [try #require(toy.loggedSteps("run").last)])
  }

  @Test func theSecondInterruptDoesNotWait() throws {
    let job = try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", try options(.data)), environment: MPILauncher.environment)
    #expect(wait(for: .data))
    job.send(SIGINT)
    job.send(SIGINT)
    let outcome = try job.wait(timeout: 20)
    #expect(outcome.exitCode == 130, "\(outcome)")
  }
}
