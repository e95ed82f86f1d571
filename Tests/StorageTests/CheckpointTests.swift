import Foundation
import Storage
import TestSupport
import Testing

@Suite("Checkpoint files")
struct CheckpointTests {
  @Test("what was written is read back, scalars and large seeds included")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    let checkpoint = Samples.checkpoint()
    try Samples.write(try checkpoint.encoded(as: "a.h5"), folder.path("a.h5"))
    let back = try Checkpoint(reading: folder.path("a.h5"))
    #expect(back == checkpoint)
    #expect(back.parameters.map(\.name) == ["dec.output_scale", "enc.l0.b", "enc.l0.w"])
    #expect(back.parameters[0].shape == [] && back.parameters[2].shape == [3, 4])
    #expect(back.optimizer.map(\.name) == ["mom", "ms"])
    #expect(back.seed == .max && back.configuration.contains("größer"))
  }

  @Test("a compressed file is smaller and holds the same")
  func compressed() throws {
    let folder = try TemporaryDirectory()
    // Weights of a network: exponents are alike, the last bits are not.
    var random = SystemRandomNumberGenerator()
    let values = (0..<40_000).map { _ in Float.random(in: -0.1...0.1, using: &random) }
    let checkpoint = Checkpoint(
      step: 1, model: "m", seed: 1, configuration: "", data: "", software: "",
      parameters: [
        NamedArray(name: "w", shape: [200, 200], values: values), NamedArray(name: "scale", shape: [], values: [2]),
      ], optimizer: [])
    let bytes = try checkpoint.encoded(as: "a.h5", compression: 9)
    #expect(Double(bytes.count) < 0.95 * Double(try checkpoint.encoded(as: "a.h5").count))
    try Samples.write(bytes, folder.path("a.h5"))
    #expect(try Checkpoint(reading: folder.path("a.h5")) == checkpoint)
  }

  @Test("equal checkpoints give equal bytes, whatever order the arrays came in")
  func identicalBytes() throws {
    let a = Samples.checkpoint()
    let b = Checkpoint(
      step: a.step, model: a.model, seed: a.seed, configuration: a.configuration, data: a.data, software: a.software,
      parameters: a.parameters.reversed(), optimizer: a.optimizer.reversed())
    let first = try a.encoded(as: "a.h5")
    // HDF5 stamps times in whole seconds; a second later they would differ.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try b.encoded(as: "b.h5") == first)
    #expect(try Samples.checkpoint(scale: 2).encoded(as: "a.h5") != first)
  }

  @Test("the digest covers every field")
  func digestCoversAll() {
    func make(
      step: UInt64 = 1, model: String = "m", seed: UInt64 = 2, configuration: String = "c", data: String = "d",
      software: String = "s", name: String = "w", shape: [Int] = [2, 3], first: Float = 0, slot: String = "ms",
      state: Float = 0
    ) -> String {
      Checkpoint(
        step: step, model: model, seed: seed, configuration: configuration, data: data, software: software,
        parameters: [NamedArray(name: name, shape: shape, values: [first, 1, 2, 3, 4, 5])],
        optimizer: [.init(name: slot, arrays: [NamedArray(name: name, shape: [1], values: [state])])]
      ).digest
    }
    let digests = [
      make(), make(step: 2), make(model: "n"), make(seed: 3), make(configuration: "e"), make(data: "e"),
      make(software: "t"), make(name: "v"), make(shape: [3, 2]), make(first: -0.0), make(slot: "mom"), make(state: 1),
      make(configuration: "cd", data: ""), make(configuration: "", data: "cd"),
    ]
    #expect(Set(digests).count == digests.count)
  }

  @Test("names and shapes that could not be read back are refused before writing")
  func refusedContents() {
    func message(_ arrays: [NamedArray], slots: [String] = []) -> String {
      let checkpoint = Checkpoint(
        step: 1, model: "m", seed: 1, configuration: "", data: "", software: "", parameters: arrays,
        optimizer: slots.map { .init(name: $0, arrays: []) })
      return Samples.message { _ = try checkpoint.encoded(as: "c.h5") }
    }
    let good = NamedArray(name: "w", shape: [2], values: [1, 2])
    #expect(message([good]) == "nothing was thrown")
    #expect(message([good], slots: ["ms", "mom"]) == "nothing was thrown")
    #expect(message([]).hasPrefix("c.h5: /parameters: a checkpoint needs at least one parameter."))
    #expect(message([good, good]).hasPrefix("c.h5: /parameters/w: the name is used twice."))
    #expect(message([good], slots: ["ms", "ms"]).hasPrefix("c.h5: /optimizer/ms: the name is used twice."))
    #expect(message([NamedArray(name: "a/b", shape: [1], values: [1])]).contains("'a/b': this is not a valid name"))
    #expect(message([NamedArray(name: "", shape: [1], values: [1])]).contains("'': this is not a valid name"))
    #expect(
      message([NamedArray(name: "w", shape: [3], values: [1])])
        .hasPrefix("c.h5: /parameters/w: 1 values do not fill the shape [3]."))
    #expect(message([NamedArray(name: "w", shape: [0], values: [])]).contains("0 values do not fill the shape [0]"))
  }

  @Test("a checkpoint of another kind, version or program is refused by name")
  func wrongKind() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    func message(_ make: (HDF5File) throws -> Void) throws -> String {
      let file = try HDF5File(creating: path)
      try make(file)
      try file.close()
      return Samples.message { _ = try Checkpoint(reading: path) }
    }
    func attributes(_ file: HDF5File, version: Int64 = 1, step: Int64 = 5) throws {
      try file.setAttribute("format", to: Checkpoint.format)
      try file.setAttribute("version", to: version)
      try file.setAttribute("step", to: step)
      try file.setAttribute("seed", to: UInt64(1))
      for name in ["model", "config", "data", "software"] { try file.setAttribute(name, to: "x") }
    }
    #expect(try message { _ in }.contains("attribute 'format': it is missing"))
    #expect(
      try message { try attributes($0, version: 9) }
        == "\(path): attribute 'version': the file is of version 9, and this program reads up to 1. "
        + "Update sqair-dist, or create the file again with this version.")
    #expect(try message { try attributes($0, step: -5) }.contains("attribute 'step': -5 is negative."))
    #expect(try message { try attributes($0) }.contains("/parameters: there is no such group."))
    #expect(
      try message {
        try attributes($0)
        try $0.createGroup("/parameters")
      }.contains("/parameters: there are none."))
    #expect(
      try message {
        try attributes($0)
        try $0.createGroup("/parameters")
        try $0.write([1.0, 2.0], shape: [2], to: "/parameters/w")
      }.contains("/parameters/w: this should be float32 (it holds float64)."))
    #expect(
      try message {
        try attributes($0)
        try $0.createGroup("/parameters")
        try $0.write([Float(1)], shape: [1], to: "/parameters/w")
      }.contains("attribute 'digest': there is no such attribute."))
    #expect(
      try message {
        try attributes($0)
        try $0.createGroup("/parameters")
        try $0.write([Float(1)], shape: [1], to: "/parameters/w")
        try $0.setAttribute("digest", to: "sha256:00")
      }.contains("attribute 'digest': it is sha256:00, but the contents give sha256:"))
  }

  @Test("a string heap that HDF5 would walk for ever is refused before HDF5 sees it")
  func damagedHeap() throws {
    let folder = try TemporaryDirectory()
    let whole = try Samples.checkpoint().encoded(as: "a.h5")
    let path = folder.path("a.h5")
    let heap = try #require(whole.indices.first { whole[$0...].starts(with: Array("GCOL".utf8)) })
    // After the heap's header of 16 bytes: the first object's index, then (at 24) its size.
    let damages: [(String, Range<Int>, UInt8)] = [
      ("free space of no size", heap + 16..<heap + 32, 0),
      ("all of it zeroed", heap + 16..<heap + 4096, 0),
      ("a size beyond the heap", heap + 26..<heap + 27, 1),
      ("a heap beyond the file", heap + 12..<heap + 13, 1),
    ]
    for (what, range, value) in damages {
      var bytes = whole
      bytes.replaceSubrange(range, with: [UInt8](repeating: value, count: range.count))
      try Samples.write(bytes, path)
      #expect(
        Samples.message { _ = try Checkpoint(reading: path) }
          == "\(path): the file is damaged: the string heap at byte \(heap) is broken. "
          + "Copy it again from its source, or create it again.", "\(what)")
    }
  }
}
