import Foundation
import Storage
import TestSupport
import Testing

@Suite("HDF5 files")
struct HDF5FileTests {
  @Test("groups, arrays of every type and attributes")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    do {
      let file = try HDF5File(creating: path)
      try file.createGroup("/b")
      try file.createGroup("/b/c")
      try file.write([Float(1.5), -2], shape: [2], to: "/b/c/float")
      try file.write([Int32(-7)], shape: [1, 1], to: "/b/int")
      try file.write([UInt64.max, 3], shape: [2], to: "/big")
      try file.write([Float(0.75)], shape: [], to: "/scalar")
      try file.setAttribute("seed", to: UInt64.max)
      try file.setAttribute("ratio", to: 0.1)
      try file.setAttribute("text", to: "äöü\nline", at: "/b")
      try file.close()
      try file.close()
    }
    let file = try HDF5File(reading: path)
    #expect(try file.dataSets() == ["/b/c/float", "/b/int", "/big", "/scalar"])
    #expect(try file.children(of: "/b").map(\.name) == ["c", "int"])
    #expect(try file.children(of: "/").map(\.kind) == [.group, .dataSet, .dataSet])
    #expect(try file.contains("/b/c/float") && file.contains("/") && !file.contains("/b/x/float"))
    #expect(try file.readFloats("/b/c/float").shape == [2])
    #expect(try file.readFloats("/b/c/float").values == [1.5, -2])
    #expect(try file.readDoubles("/b/int").shape == [1, 1])
    #expect(try file.readDoubles("/b/int").values == [-7])
    #expect(try file.dataSet("/big").readAll(as: UInt64.self) == [.max, 3])
    #expect(try file.readFloats("/scalar").shape == [])
    #expect(try file.readFloats("/scalar").values == [0.75])
    #expect(try file.unsignedAttribute("seed") == .max)
    #expect(throws: StorageError.self) { try file.integerAttribute("seed") }
    #expect(try file.doubleAttribute("ratio") == 0.1)
    #expect(try file.textAttribute("text", at: "/b") == "äöü\nline")
    #expect(try !file.hasAttribute("text") && file.hasAttribute("text", at: "/b"))
  }

  @Test("chunks are kept if all of them fit, or if they hold several entries")
  func keptChunks() throws {
    let folder = try TemporaryDirectory()
    let path = try ToySequences.write(to: folder.path("toy.h5"), sequences: 24, frames: 3, height: 16, width: 16)
    let file = try HDF5File(reading: path)
    let sequence = 3 * 16 * 16
    for (limit, kept) in [(24 * sequence, 10), (23 * sequence, 1), (0, 1)] {
      let frames = try file.dataSet("/frames", cacheLimit: limit)
      var bytes = [UInt8](repeating: 0, count: sequence)
      for index in 0..<10 { try frames.read(outer: index..<index + 1, into: &bytes) }
      #expect(frames.keptBytes == kept * sequence, "\(limit)")
    }
    // Of these, a chunk holds several entries.
    let counts = try file.dataSet("/counts", cacheLimit: 0)
    var number = [UInt8](repeating: 0, count: 3)
    try counts.read(outer: 5..<6, into: &number)
    #expect(counts.keptBytes >= 24 * 3)
  }

  @Test("errors name the file, the part and what to do, and HDF5 prints nothing")
  func errors() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    do {
      let file = try HDF5File(creating: path)
      try file.setAttribute("version", to: Int64(1))
      try file.createGroup("/g")
      try file.close()
    }
    let file = try HDF5File(reading: path)
    #expect(
      Samples.message { _ = try file.dataSet("/frames") }
        == "\(path): /frames: there is no such data set. Check that the file is of the right kind and complete.")
    #expect(
      Samples.message { _ = try file.textAttribute("version") }
        == "\(path): attribute 'version': it holds int64 where one string was expected. "
        + "Create the file again with the documented types.")
    #expect(Samples.message { _ = try file.dataSet("/g") }.hasPrefix("\(path): /g: cannot open the data set ("))
    #expect(Samples.message { _ = try file.children(of: "/none") }.contains("/none: cannot list the group ("))
    #expect(Samples.message { _ = try file.doubleAttribute("x", at: "/g") }.contains("attribute 'x' of /g: there is"))
  }

  @Test("empty texts are texts")
  func emptyText() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    try { () throws in
      let file = try HDF5File(creating: path)
      try file.setAttribute("empty", to: "")
      try file.setAttribute("text", to: "x")
      try file.close()
    }()
    let file = try HDF5File(reading: path)
    #expect(try file.textAttribute("empty") == "" && file.textAttribute("text") == "x")
  }

  @Test("a damaged chunk is refused with the data set's name")
  func fletcher() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    let values = (0..<1000).map { Float($0) }
    try { () throws in
      let file = try HDF5File(creating: path)
      try file.write(values, shape: [1000], to: "/values")
      try file.close()
    }()
    var bytes = try Samples.bytes(path)
    // Find the stored values themselves, so that the flip is in data and nothing else.
    let needle = Array(values[500...501].withUnsafeBytes { Array($0) })
    let position = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
    bytes[position] ^= 4
    try Samples.write(bytes, path)
    let file = try HDF5File(reading: path)
    #expect(
      Samples.message { _ = try file.readFloats("/values") }
        == "\(path): /values: cannot read the chunk at [0] (its Fletcher32 checksum is wrong). The bytes on disk have "
        + "changed since they were written: copy the file again from its source, or create it again.")
  }
}

/// Files cross the border between this project and h5py in both directions.
@Suite(
  "Interoperation with h5py", .enabled(if: Python.has("h5py", "numpy"), "python3 with h5py and numpy was not found"))
struct InteroperationTests {
  @Test("h5py's attributes and arrays are read")
  func readsH5py() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("py.h5")
    try Python.run(
      """
      import h5py, numpy as np, sys
      with h5py.File(sys.argv[1], 'w') as f:
          f.attrs['text'] = 'variable ä'
          f.attrs['fixed'] = np.bytes_('fixed')
          f.attrs['yes'] = True
          f.attrs['int'] = 3
          f.attrs['small'] = np.int8(-3)
          f.attrs['list'] = [8, 8]
          f.attrs['real'] = 0.25
          f.create_dataset('g/double', data=np.arange(6.0).reshape(2, 3))
          f.create_dataset('g/half', data=np.float16([0.5]))
          f.create_dataset('big', data=np.array([1, 2], dtype='>i4'))
      """, [path])
    let file = try HDF5File(reading: path)
    #expect(try file.textAttribute("text") == "variable ä")
    #expect(try file.textAttribute("fixed") == "fixed")
    #expect(try file.integerAttribute("yes") == 1)
    #expect(try file.integerAttribute("int") == 3)
    #expect(try file.integerAttribute("small") == -3)
    #expect(try file.unsignedAttribute("int") == 3)
    #expect(try file.doublesAttribute("list").shape == [2])
    #expect(try file.doublesAttribute("list").values == [8, 8])
    #expect(try file.doubleAttribute("real") == 0.25)
    #expect(try file.readFloats("/g/double").shape == [2, 3])
    #expect(try file.readFloats("/g/double").values == [0, 1, 2, 3, 4, 5])
    #expect(try file.readDoubles("/g/half").values == [0.5])
    #expect(try file.dataSet("/big").readAll(as: Int32.self) == [1, 2])
  }

  @Test("a file whose texts h5py has changed is read")
  func changedTexts() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("py.h5")
    try Python.run(
      """
      import h5py, sys
      with h5py.File(sys.argv[1], 'w') as f: f.attrs['a'] = 'abc'; f.attrs['b'] = '{}'; f.attrs['c'] = ''
      for text in ('longer than before', None, 'x' * 5000, None, 'q'):
          with h5py.File(sys.argv[1], 'r+') as f:
              if text is None: del f.attrs['a']
              else: f.attrs['a'] = text; f.attrs['b'] = text[::-1] * 2
      """, [path])
    let file = try HDF5File(reading: path)
    #expect(try file.textAttribute("a") == "q" && file.textAttribute("b") == "qq" && file.textAttribute("c") == "")
  }

  @Test("a sequence file by h5py trains, ours is what the contract says")
  func sequences() throws {
    let folder = try TemporaryDirectory()
    try Python.run(
      """
      import h5py, numpy as np, sys
      with h5py.File(sys.argv[1], 'w') as f:
          f.attrs['format'] = 'sqair-dist/sequences'; f.attrs['version'] = 1
          f.attrs['seed'] = np.uint64(5); f.attrs['generator'] = '{}'; f.attrs['source'] = 'h5py'
          x = np.arange(2*3*4*5, dtype=np.uint8).reshape(2, 3, 4, 5)
          f.create_dataset('frames', data=x, chunks=(1, 3, 4, 5), shuffle=True, compression='gzip', fletcher32=True)
          f.create_dataset('mean', data=(x.mean((0, 1)) / 255).astype(np.float32))
      """, [folder.path("py.h5")])
    let file = try SequenceFile(path: folder.path("py.h5"))
    try file.verify()
    var frames = [UInt8](repeating: 0, count: 20)
    try file.readFrames(of: 1, first: 2, count: 1, into: &frames)
    #expect(frames == Array(100..<120) && file.seed == 5 && file.source == "h5py")

    try Samples.writeSequences(folder.path("swift.h5"))
    try Python.run(
      """
      import h5py, numpy as np, sys
      f = h5py.File(sys.argv[1])
      assert f.attrs['format'] == 'sqair-dist/sequences' and f.attrs['version'] == 1
      assert f.attrs['seed'] == 42 and f.attrs['seed'].dtype == np.uint64 and f.attrs['source'] == 'test'
      want = dict(frames=((5, 3, 6, 4), 'u1'), mean=((6, 4), 'f4'), counts=((5, 3), 'u1'), boxes=((5, 3, 2, 4), 'f4'),
                  ids=((5, 3, 2), 'i4'), labels=((5, 2), 'u1'), frame_digests=((5, 32), 'u1'))
      assert set(f) == set(want)
      for name, (shape, kind) in want.items():
          assert f[name].shape == shape and f[name].dtype == np.dtype(kind) and f[name].fletcher32, name
      x = f['frames']
      assert x.chunks == (1, 3, 6, 4) and x.shuffle and x.compression == 'gzip'
      i = np.arange(72)
      for n in range(5):
          assert (x[n].ravel() == ((i * 37) ^ (n * 101)).astype(np.uint8)).all()
      mean = x[()].astype(float).mean((0, 1)) / 255
      assert np.abs(f['mean'][()] - mean).max() < 1e-7
      """, [folder.path("swift.h5")])
  }

  @Test("a checkpoint by h5py is read when its digest is right, ours is what the contract says")
  func checkpoints() throws {
    let folder = try TemporaryDirectory()
    // The digest as documented at `Checkpoint.digest`, written a second time from the text alone.
    let digest = """
      import h5py, numpy as np, sys, hashlib, struct
      def number(n): return struct.pack('<Q', n)
      def text(s): return number(len(s.encode())) + s.encode()
      def digest(f):
          h = hashlib.sha256()
          a = f.attrs
          h.update(text(a['format']) + number(int(a['version'])) + number(int(a['step'])) + text(a['model'])
                   + number(int(a['seed'])) + text(a['config']) + text(a['data']) + text(a['software']))
          found = []
          f.visititems(lambda name, o: found.append('/' + name) if isinstance(o, h5py.Dataset) else None)
          for path in sorted(found, key=lambda p: p.encode()):
              x = f[path][()]
              h.update(text(path) + number(np.ndim(x)) + b''.join(number(n) for n in np.shape(x)))
              h.update(np.asarray(x, '<f4').tobytes())
          return 'sha256:' + h.hexdigest()

      """
    try Samples.write(try Samples.checkpoint().encoded(as: "a"), folder.path("swift.h5"))
    try Python.run(
      digest + """
        f = h5py.File(sys.argv[1])
        assert f.attrs['digest'] == digest(f)
        assert f.attrs['step'] == 7 and f.attrs['step'].dtype == np.uint64 and f.attrs['seed'] == 2**64 - 1
        assert sorted(f['optimizer']) == ['mom', 'ms']
        w = f['parameters/enc.l0.w']
        assert w.shape == (3, 4) and w.dtype == np.float32 and w.fletcher32 and (w[()].ravel() == np.arange(12)).all()
        assert f['parameters/dec.output_scale'].shape == () and f['parameters/dec.output_scale'][()] == 0.25
        """, [folder.path("swift.h5")])
    try Python.run(
      digest + """
        with h5py.File(sys.argv[1], 'w') as f:
            f.attrs.update(dict(format='sqair-dist/checkpoint', version=1, step=9, model='air', seed=3, config='{}',
                                data='d', software='s'))
            f.create_dataset('parameters/w', data=np.float32([[1, 2], [3, 4]]), fletcher32=True)
            f.create_dataset('optimizer/ms/w', data=np.float32([[5, 6], [7, 8]]), fletcher32=True)
            f.attrs['digest'] = digest(f)
        """, [folder.path("py.h5")])
    let checkpoint = try Checkpoint(reading: folder.path("py.h5"))
    #expect(checkpoint.step == 9 && checkpoint.model == "air")
    #expect(checkpoint.parameters == [NamedArray(name: "w", shape: [2, 2], values: [1, 2, 3, 4])])
    #expect(checkpoint.optimizer[0].arrays[0].values == [5, 6, 7, 8])
  }
}
