import Foundation
import Storage
import TestSupport
import Testing

/// Files that were made to do harm, opened by a program of its own: it must end by itself with an error that names the
/// file, in time and without much memory.
@Suite("Hostile files")
struct HostileFileTests {
  /// Opens a file in the probe.
  private func open(_ path: String) throws -> ProcessOutcome {
    try ProcessRunner.run(try BuiltProgram.path(of: "storage-probe"), ["open", path, "0"], timeout: 30)
  }

  private func expectRefusal(_ path: String, _ problem: String, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let outcome = try open(path)
    #expect(
      outcome.exitCode == 1 && outcome.standardError.hasPrefix(path) && outcome.standardError.contains(problem),
      "\(outcome)", sourceLocation: sourceLocation)
  }

  @Test("a pipe or a device in place of a file is refused at once")
  func special() throws {
    let folder = try TemporaryDirectory()
    #expect(mkfifo(folder.path("pipe.h5"), 0o600) == 0)
    try expectRefusal(folder.path("pipe.h5"), "this is a pipe, not a file")
    try expectRefusal("/dev/zero", "this is a device, not a file")
  }

  @Test(
    "a text whose length is not that of its object in the heap is refused, behind a block of the user's own too",
    arguments: [-1, 1], [0, 512, 2048])
  func heapLengths(direction: Int, userBlock: Int) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    let file = try HDF5File(creating: path)
    try file.setAttribute("format", to: "ABCDEFGH")
    try file.setAttribute("source", to: String(repeating: "x", count: 1000))
    try file.close()
    var bytes = [UInt8](repeating: 0, count: userBlock) + (try Samples.bytes(path))
    try Samples.write(bytes, path)
    #expect(try HDF5File(reading: path).textAttribute("format") == "ABCDEFGH")
    let object = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("ABCDEFGH".utf8)) })
    // Its size stands in the 8 bytes before. One of 7 leaves the heap in order; the larger takes in the next object.
    let size = direction < 0 ? 7 : 8 + 16 + 1000
    bytes.replaceSubrange(object - 8..<object, with: withUnsafeBytes(of: UInt64(size).littleEndian) { Array($0) })
    try Samples.write(bytes, path)
    #expect(Samples.message { _ = try HDF5File(reading: path) }.contains("the string heap at byte"))
  }

  @Test(
    "claims that the file cannot hold, chunks of wrong lengths and groups within themselves are refused",
    .enabled(if: Python.has("h5py", "numpy"), "python3 with h5py and numpy was not found"))
  func claims() throws {
    let folder = try TemporaryDirectory()
    try ForeignFileTests.write(
      """
      def little(name, s, data, **kw):
          with start(name) as f:
              f['mean'] = np.full((s, s), .2, 'f4')
              d = f.create_dataset('frames', (2, 3, s, s), 'u1', chunks=(1, 3, s, s), **kw)
              for i in range(2): d.id.write_direct_chunk((i, 0, 0, 0), data, 0)
      with start('big.h5') as f:
          f.create_dataset('frames', (1, 25_000_000, 28, 28), 'u1', chunks=(1, 1, 28, 28)); f['mean'] = np.full((28, 28), .2, 'f4')
      with start('bomb.h5') as f:
          f.create_dataset('frames', (1, 25_000_000, 28, 28), 'u1', chunks=(1, 1, 28, 28), compression=1)
          f['mean'] = np.full((28, 28), .2, 'f4')
      little('short.h5', 64, zlib.compress(b'\\7' * 16, 1), compression=1)
      little('long.h5', 8, zlib.compress(b'\\7' * 1_000_000, 1), compression=1)
      little('cut.h5', 64, zlib.compress(bytes(np.random.default_rng(0).integers(0, 255, 12288, dtype='u1')), 1)[:4000], compression=1)
      little('unfiltered.h5', 64, b'\\7' * 100)
      little('sum.h5', 8, b'\\7' * 196, fletcher32=True)
      with start('ring.h5') as f:
          f['frames'] = frames(4, 3); f['mean'] = mean(frames(4, 3)); g = f.create_group('g'); g['self'] = g
      """, in: folder)
    let table = [
      ("big.h5", "/frames: its chunks take 0 bytes where its shape [1, 25000000, 28, 28] takes 19600000000"),
      ("bomb.h5", "/frames: its shape [1, 25000000, 28, 28] takes 19600000000 bytes, more than a file of"),
      ("short.h5", "/frames: its chunk at [0, 0, 0, 0] is damaged: it inflates to 16 bytes in place of 12288"),
      ("long.h5", "/frames: its chunk at [0, 0, 0, 0] is damaged: it inflates to more than the 192 bytes"),
      ("cut.h5", "/frames: its chunk at [0, 0, 0, 0] is damaged: its deflated bytes end after"),
      ("unfiltered.h5", "/frames: its chunks take 200 bytes where its shape [2, 3, 64, 64] takes 24576"),
      ("sum.h5", "/frames: cannot read the chunk at [0, 0, 0, 0] (its Fletcher32 checksum is wrong)"),
    ]
    for (name, problem) in table { try expectRefusal(folder.path(name), problem) }
    #expect(
      Samples.message { _ = try HDF5File(reading: folder.path("ring.h5")).dataSets() }.contains("nested too deeply"))
    #expect(try open(folder.path("ring.h5")).exitCode == 0)
  }

  @Test("a structure that HDF5 does not survive is found in a process of its own")
  func structure() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    try ToySequences.write(to: path)
    #expect(try open(path).exitCode == 0)
    // The probe stands in for HDF5: with this variable the process that looks at the structure dies, never ends, or
    // gets no memory.
    for (fate, problem) in [
      ("abort", "crashes on it (signal 6)"), ("hang", "does not finish reading it"),
      ("memory", "wants more than 1024 MiB of memory for it"),
    ] {
      var environment = ProcessInfo.processInfo.environment
      environment["STORAGE_PROBE_FATE"] = fate
      let outcome = try ProcessRunner.run(
        try BuiltProgram.path(of: "storage-probe"), ["open", path, "0"], environment: environment, timeout: 40)
      #expect(outcome.exitCode == 1 && outcome.standardError.contains("the structure of the file is damaged: HDF5"))
      #expect(outcome.standardError.contains(problem), "\(outcome)")
    }
  }

  @Test("names and texts of a file cannot steer a terminal")
  func terminal() throws {
    #expect("a\u{1B}[2Jb\u{9B}\u{7F}\r\n\u{202E}é漢".printable == "a\\u{1B}[2Jb\\u{9B}\\u{7F}\\u{D}\\u{A}\\u{202E}é漢")
    #expect("a\nb\u{7}".printableLines == "a\nb\\u{7}")
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    let file = try HDF5File(creating: path)
    try file.setAttribute("format", to: "\u{1B}]0;owned\u{7}")
    try file.close()
    let message = Samples.message { _ = try SequenceFile(path: path) }
    #expect(message.contains("it is '\\u{1B}]0;owned\\u{7}' where") && !message.unicodeScalars.contains("\u{1B}"))
  }
}
