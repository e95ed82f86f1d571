import Foundation
import Storage
import TestSupport
import Testing

/// Checkpoints whose digest holds and whose content no run has written.
@Suite("Hostile checkpoints")
struct HostileCheckpointTests {
  private func message(_ checkpoint: Checkpoint, in folder: TemporaryDirectory) throws -> String {
    let path = folder.path("a.h5")
    try Samples.write(try checkpoint.encoded(as: path), path)
    return Samples.message { _ = try Checkpoint(reading: path) }.replacingOccurrences(of: folder.path + "/", with: "")
  }

  private func checkpoint(step: UInt64 = 7, named name: String = "w") -> Checkpoint {
    let arrays = [NamedArray(name: name, shape: [2], values: [1, 2])]
    return Checkpoint(
      step: step, model: "sqair", seed: 1, configuration: "{}", data: "", software: "", parameters: arrays,
      optimizer: [.init(name: "ms", arrays: arrays)])
  }

  @Test(
    "a step that no run has is refused, in the file and in its name", arguments: [UInt64(1) << 53 + 1, 1 << 63, .max])
  func steps(step: UInt64) throws {
    let folder = try TemporaryDirectory()
    #expect(
      try message(checkpoint(step: step), in: folder)
        == "a.h5: attribute 'step': no run has \(step) updates. The file was not written by this program: use another "
        + "checkpoint.")
    let name = "step-\(step).h5"
    try Samples.write([0], folder.path(name))
    let store = CheckpointStore(readingFrom: folder.path)
    for text in [Samples.message { _ = try store.list() }, Samples.message { _ = try store.latestValid() }] {
      #expect(text.contains("\(name): its name says step \(step), which no run can reach. The file was not written"))
    }
    #expect(try message(checkpoint(step: 1 << 53), in: folder) == "nothing was thrown")
  }

  @Test("names that are not UTF-8 are refused, and those that could steer a terminal are escaped")
  func names() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    // HDF5 puts the name into a checksummed header, so the file is made with such a name from the start.
    let whole = try checkpoint(named: "w\u{1B}[2J").encoded(as: path)
    try Samples.write(whole, path)
    let restored = try Checkpoint(reading: path)
    #expect(restored.parameters[0].name == "w\u{1B}[2J" && restored.problems == [])
    let damaged = Samples.message { _ = try HDF5File(reading: path).dataSet("/parameters/w\u{1B}[2J/x") }
    #expect(damaged.contains("/parameters/w\\u{1B}[2J") && !damaged.unicodeScalars.contains("\u{1B}"), "\(damaged)")
  }

  @Test("damaged links of a large group end in an error")
  func links() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    // More links than a header holds, so that they are in a heap without checksums.
    let arrays = (0..<40).map { NamedArray(name: "parameter.\($0)", shape: [1], values: [Float($0)]) }
    let whole = try Checkpoint(
      step: 1, model: "sqair", seed: 1, configuration: "{}", data: "", software: "", parameters: arrays,
      optimizer: [.init(name: "ms", arrays: arrays)]
    ).encoded(as: path)
    let probe = try BuiltProgram.path(of: "storage-probe")
    try Samples.write(whole, path)
    #expect(try ProcessRunner.run(probe, ["open", path, "0"], timeout: 30).exitCode == 0)
    let names = whole.indices.filter { whole[$0...].starts(with: Array("parameter.".utf8)) }
    #expect(names.count == 80)
    for start in stride(from: 0, to: names.count, by: 9) {
      var bytes = whole
      // Version, flags, character set and length of the name stand before it.
      for index in names[start] - 4..<names[start] { bytes[index] = 0xEE }
      try Samples.write(bytes, path)
      let outcome = try ProcessRunner.run(probe, ["open", path, "0"], timeout: 30)
      #expect(outcome.exitCode == 1 && outcome.standardError.hasPrefix(path), "\(start): \(outcome)")
    }
  }

  @Test("problems are told one by one")
  func problems() {
    let arrays = [
      NamedArray(name: "w", shape: [2], values: [1, .nan]), NamedArray(name: "b", shape: [1], values: [1]),
    ]
    let other = [NamedArray(name: "w", shape: [1], values: [1])]
    let checkpoint = Checkpoint(
      step: 1, model: "sqair", seed: 1, configuration: "{}", data: "", software: "", parameters: arrays,
      optimizer: [.init(name: "ms", arrays: other)])
    #expect(
      checkpoint.problems == [
        "/parameters/w has numbers that are not finite",
        "/optimizer/ms/w has the shape [1], unlike the parameter of that name",
        "/optimizer/ms lacks 1 parameters, such as b",
      ])
  }
}
