import Foundation
import Storage
import TestSupport
import Testing

/// Sequence files that other programs make, with the mistakes that they are known to have.
@Suite(
  "Sequence files of others", .enabled(if: Python.has("h5py", "numpy"), "python3 with h5py and numpy was not found"))
struct ForeignFileTests {
  /// Runs a program that writes `p` + name; `frames(N, T)` gives blocks of 8x8 that move over 24x24 pixels.
  static func write(_ program: String, in folder: TemporaryDirectory) throws {
    try Python.run(
      """
      import h5py, numpy as np, os, sys, zlib
      p = sys.argv[1] + '/'
      def frames(N=64, T=10, H=24, W=24):
          r = np.random.default_rng(0); x = np.zeros((N, T, H, W), np.uint8)
          for n in range(N):
              y, z = r.integers(0, H - 8), r.integers(0, W - 8); vy, vx = r.integers(-1, 2, 2)
              for t in range(T):
                  a, b = int(np.clip(y + vy*t, 0, H - 8)), int(np.clip(z + vx*t, 0, W - 8)); x[n, t, a:a+8, b:b+8] = 200
          return x
      def mean(x): return (x.reshape(-1, *x.shape[-2:]).mean(0) / 255).astype('f4')
      def start(name, **kw):
          f = h5py.File(p + name, 'w', **kw)
          f.attrs['format'] = 'sqair-dist/sequences'; f.attrs['version'] = 1
          return f
      def plain(name, x, libver=None, **kw):
          with start(name, libver=libver) as f:
              f.create_dataset('frames', data=x, **kw); f['mean'] = mean(x)
      \(program)
      """, [folder.path])
  }

  /// What opening a file says; "nothing was thrown" for one that can be used.
  private func message(_ folder: TemporaryDirectory, _ name: String) -> String {
    Samples.message { _ = try SequenceFile(path: folder.path(name)) }
      .replacingOccurrences(of: folder.path + "/", with: "")
  }

  @Test("a file whose writer died is refused, whatever its layout")
  func unfinished() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames()
      for name, kw in dict(contiguous={}, chunked=dict(chunks=(1, 10, 24, 24)), gzip=dict(chunks=(1, 10, 24, 24), compression=1)).items():
          with start(name + '.h5') as f:
              f['mean'] = mean(x); d = f.create_dataset('frames', x.shape, 'u1', **kw); d[:8] = x[:8]
      with start('never.h5') as f:
          f['mean'] = mean(x); f.create_dataset('frames', x.shape, 'u1')
      with start('empty.h5') as f:   # the same, but the counts say that the rest is empty
          f['mean'] = mean(x); d = f.create_dataset('frames', x.shape, 'u1'); d[:8] = x[:8]
          f['counts'] = np.zeros((64, 10), 'u1')
      """, in: folder)
    #expect(message(folder, "contiguous.h5").hasPrefix("contiguous.h5: /frames: its last 56 of 64 sequences are black"))
    #expect(message(folder, "chunked.h5").hasPrefix("chunked.h5: /frames: its chunks take 46080 bytes where its shape"))
    #expect(message(folder, "gzip.h5").hasPrefix("gzip.h5: /frames: only 8 of its 64 chunks were written."))
    #expect(message(folder, "never.h5").hasPrefix("never.h5: /frames: its elements were never written."))
    let empty = try SequenceFile(path: folder.path("empty.h5"))
    #expect(empty.warnings.contains { $0.hasPrefix("its last 56 of 64 sequences are black") })
  }

  @Test("a part that was left black at any end is found, in sequences and in frames")
  func unfinishedParts() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames()
      def part(name, *places, counts=None):
          with start(name + '.h5') as f:
              f['mean'] = mean(x); d = f.create_dataset('frames', x.shape, 'u1')
              for place in places: d[place] = x[place]
              if counts is not None: f['counts'] = counts
      part('first', np.s_[32:]); part('middle', np.s_[:8], np.s_[40:]); part('few', np.s_[:56])
      part('late', np.s_[:, :4]); part('early', np.s_[:, 3:])
      c = np.ones((64, 10), 'u1'); c[30:] = 0
      part('counts', np.s_[:], counts=c); part('good', np.s_[:], counts=c[:1].repeat(64, 0))
      part('hole', np.s_[:31], np.s_[37:]); part('contradiction', np.s_[:63], counts=c[:1].repeat(64, 0))
      e = c[:1].repeat(64, 0); e[31:37] = 0; part('empty', np.s_[:31], np.s_[37:], counts=e)
      x = x[:8]; part('small', np.s_[:6])
      """, in: folder)
    for (name, text) in [
      ("first", "its first 32 of 64 sequences are black: the program"),
      ("late", "the last 6 of 10 frames are black in all"), ("early", "the first 3 of 10 frames are black in all"),
    ] {
      let found = message(folder, name + ".h5")
      #expect(found.hasPrefix("\(name).h5: /frames: \(text)"), "\(found)")
    }
    for (name, text) in [
      ("middle", "its sequences 8 to 39 of 64 are black."),
      ("few", "its last 8 of 64 sequences are black, and no other"),
      ("counts", "/counts says that the last 34 of 64 sequences have no objects"),
      ("hole", "its sequences 31 to 36 of 64 are black."), ("small", "its last 2 of 8 sequences are black."),
      ("contradiction", "its sequence 63 is black, and /counts says that there are objects in it."),
    ] {
      let warnings = try SequenceFile(path: folder.path(name + ".h5")).warnings
      #expect(warnings.count == 1 && warnings[0].hasPrefix(text), "\(name): \(warnings)")
    }
    for name in ["good", "empty"] {
      #expect(try SequenceFile(path: folder.path(name + ".h5")).warnings == [], "\(name)")
    }
  }

  @Test("colours as the last axis are refused; other orders, ranges and means are told")
  func strangeFrames() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames(64, 10)
      def own(name, x, m=None):
          with start(name + '.h5') as f:
              f['frames'] = x; f['mean'] = ((x.mean((0, 1)) / 255) if m is None else m).astype('f4')
      own('colours', np.repeat(x[:, 0][..., None], 3, -1)); own('nhwt', np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
      own('hwtn', np.ascontiguousarray(x.transpose(2, 3, 1, 0)))
      own('percent', (x // 2).astype('u1')); own('white', 255 - x)
      own('twice', x, x.mean((0, 1)) / 255 / 255); own('never', x, np.zeros((24, 24)))
      dark = x // 8; own('bright', dark, 1 - dark.mean((0, 1)) / 255)
      own('good', x)
      """, in: folder)
    let text = message(folder, "colours.h5")
    #expect(text.contains("the last axis has 3 elements, as colours have: the axes seem to be [N, H, W, C]"), "\(text)")
    for (name, text) in [
      ("nhwt", "the axes are [N, H, W, T] where"), ("hwtn", "the axes are [H, W, T, N] where"),
      ("percent", "frames that were looked at is above 100"), ("white", "invert them: with h5py, 255 - frames"),
      ("twice", "/mean is darker than the frames by a factor of 255"), ("never", "/mean is black"),
      ("bright", "on average, and the frames that were looked at are 0.01: it seems to be inverted"),
    ] {
      let warnings = try SequenceFile(path: folder.path(name + ".h5")).warnings
      #expect(warnings.contains { $0.contains(text) }, "\(name): \(warnings)")
    }
    #expect(try SequenceFile(path: folder.path("good.h5")).warnings == [])
  }

  @Test("boxes that are fractions, corners or elsewhere are told")
  func strangeBoxes() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames()
      b = np.zeros((64, 10, 1, 4), 'f4'); b[..., :2] = np.random.default_rng(1).integers(0, 16, (64, 10, 1, 2)); b[..., 2:] = 8
      c = b.copy(); c[..., 2:] += c[..., :2]
      t = np.zeros((64, 10, 1, 4), 'f4')   # the blocks as they are
      for n in range(64):
          for i in range(10):
              y, z = np.nonzero(x[n, i]); t[n, i, 0] = y.min(), z.min(), 8, 8
      m = t.copy(); m[..., :2] += 4; w = t[..., [1, 0, 3, 2]]; v = m[..., [1, 0, 3, 2]]
      for name, boxes in dict(good=b, true=t, exchanged=w, centres=m, both=v, fractions=b / 24, corners=c,
                              elsewhere=b + [100, 0, 0, 0]).items():
          with start(name + '.h5') as f:
              f['frames'] = x; f['mean'] = mean(x); f['boxes'] = boxes.astype('f4'); f['ids'] = np.zeros((64, 10, 1), 'i4')
      """, in: folder)
    for (name, text) in [
      ("fractions", "/boxes has no number above 1"), ("corners", "/boxes seems to hold corners"),
      ("elsewhere", "320 of the 320 boxes in /boxes"), ("exchanged", "/boxes seems to hold x, y, width, height"),
      ("centres", "/boxes seems to hold centres and sizes"), ("both", "/boxes seems to hold x, y of centres, width"),
    ] {
      let warnings = try SequenceFile(path: folder.path(name + ".h5")).warnings
      #expect(warnings.count == 1 && warnings[0].hasPrefix(text), "\(name): \(warnings)")
    }
    for name in ["good", "true"] {
      #expect(try SequenceFile(path: folder.path(name + ".h5")).warnings == [], "\(name)")
    }
  }

  @Test("names and lists of variable length beside the frames are no damage")
  func variableLength() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames()
      def beside(name, make):
          with start(name) as f:
              f['frames'] = x; f['mean'] = mean(x); make(f)
      beside('names.h5', lambda f: f.create_dataset('names', data=[f'v{i}' for i in range(3000)], dtype=h5py.string_dtype()))
      def lists(f):
          t = np.dtype([('a', 'f4'), ('b', 'f8'), ('c', 'i2')]); d = f.create_dataset('lists', (200,), dtype=h5py.vlen_dtype(t))
          for i in range(200): d[i] = np.zeros(i % 9, t)
      beside('lists.h5', lists)
      def references(f):
          d = f.create_dataset('r', (64,), dtype=h5py.regionref_dtype)
          for i in range(64): d[i] = f['frames'].regionref[i]
      beside('references.h5', references)
      with h5py.File(p + 'unmarked.h5', 'w') as f: f['frames'] = x; f['mean'] = mean(x)
      if os.fork() == 0:
          f = start('open.h5', libver='latest'); f['frames'] = x; f['mean'] = mean(x); f.flush(); os._exit(0)
      os.wait()
      """, in: folder)
    for name in ["names", "lists", "references"] {
      #expect(message(folder, name + ".h5") == "nothing was thrown")
    }
    #expect(message(folder, "unmarked.h5").contains("with h5py, f.attrs['format'] = 'sqair-dist/sequences'"))
    #expect(message(folder, "open.h5").contains("or has ended without closing it. Wait until it is closed."))
  }

  @Test("swapped axes, a channel axis, frames of 0 and 1 or of floats are refused with the remedy")
  func axesAndRange() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames(200, 20)
      plain('tnhw.h5', np.ascontiguousarray(x.swapaxes(0, 1)))
      plain('good.h5', x)
      b = (x > 0).astype('u1')
      with start('binary.h5') as f: f['frames'] = b; f['mean'] = b.mean((0, 1)).astype('f4')
      with start('last.h5') as f: f['frames'] = x[..., None]; f['mean'] = mean(x)
      with start('rgb.h5') as f: f['frames'] = np.repeat(x[:, :, None], 3, 2); f['mean'] = mean(x)
      with start('video.h5') as f: f['frames'] = x[0]; f['mean'] = mean(x)
      with start('float.h5') as f: f['frames'] = (x / 255).astype('f4'); f['mean'] = mean(x)
      """, in: folder)
    let table = [
      (
        "tnhw", "its shape [20, 200, 24, 24], but frames of neighbouring sequences differ less", "frames.swapaxes(0, 1)"
      ),
      ("binary", "no pixel is above 1, but 255 is white", "Multiply them by 255"),
      ("last", "its shape [200, 20, 24, 24, 1] has a channel axis", "with h5py, frames[..., 0]."),
      ("rgb", "its shape [200, 20, 3, 24, 24] has a channel axis", "frames.mean(2).round().astype('uint8')."),
      ("video", "its shape [20, 24, 24] has three axes", "reshape(-1, 10, H, W)"),
      ("float", "it holds float32 where the format says uint8", "(frames * 255).round().astype('uint8')"),
    ]
    for (name, problem, hint) in table {
      let text = message(folder, name + ".h5").replacingOccurrences(of: "shape is [", with: "shape [")
      #expect(text.hasPrefix("\(name).h5: /frames: \(problem)") && text.contains(hint), "\(text)")
    }
    #expect(try SequenceFile(path: folder.path("good.h5")).warnings == [])
  }

  @Test("one long video of which little would be used is told")
  func video() throws {
    let folder = try TemporaryDirectory()
    try Self.write("plain('video.h5', frames(1, 795))", in: folder)
    let warnings = try SequenceFile(path: folder.path("video.h5")).warnings
    #expect(warnings.count == 1 && warnings[0].hasPrefix("the file is one sequence of 795 frames"))
  }

  @Test("every layout gives the frames that were written")
  func layouts() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      r = np.random.default_rng(3); x = r.integers(0, 255, (37, 7, 9, 11), dtype=np.uint8); x.tofile(p + 'frames.bin')
      x[0] = 0; x[1] = 7; x.tofile(p + 'frames.bin')
      kinds = dict(contiguous={}, row=dict(chunks=(1, 7, 9, 11)), gzip=dict(compression='gzip'),
        all=dict(chunks=(5, 3, 4, 11), compression='gzip', shuffle=True, fletcher32=True), fletcher=dict(chunks=(4, 7, 9, 11),
        fletcher32=True), frame=dict(chunks=(37, 1, 9, 11), compression='gzip'), plain=dict(chunks=(2, 2, 5, 6)))
      for name, kw in kinds.items():
          plain(name + '.h5', x, **kw)
          if name in ('gzip', 'all', 'row', 'plain'): plain(name + '-new.h5', x, libver=('v110', 'v110'), **kw)
      """, in: folder)
    let expected = try Samples.bytes(folder.path("frames.bin"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".h5") }
    #expect(names.count == 11)
    for name in names {
      let file = try SequenceSet(path: folder.path(name))
      try file.files[0].verify()
      #expect(try file.identify(digestRecord: nil) == .computed)
      var sequence = [UInt8](repeating: 0, count: 7 * 99)
      var part = [UInt8](repeating: 0, count: 3 * 99)
      for index in [36, 0, 17, 5, 36] {
        try file.readFrames(of: index, first: 0, count: 7, into: &sequence)
        #expect(sequence.elementsEqual(expected[index * 693..<(index + 1) * 693]), "\(name) \(index)")
        try file.readFrames(of: index, first: 2, count: 3, into: &part)
        #expect(part.elementsEqual(expected[index * 693 + 198..<index * 693 + 495]), "\(name) \(index)")
      }
    }
  }

  @Test("chunks that reach across sequences are kept if they fit, and their cost is told if not")
  func chunkLayout() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      plain('fits.h5', frames(64), compression='gzip', chunks=(64, 1, 24, 24))
      with start('large.h5') as f:   # 400 MB of nearly nothing
          f['mean'] = np.full((400, 400), .1, 'f4')
          d = f.create_dataset('frames', (500, 5, 400, 400), 'u1', chunks=(250, 1, 400, 400), compression=1)
          x = np.zeros((250, 1, 400, 400), 'u1'); x[:, :, 5] = 200
          for n in (0, 250):
              for t in range(5): d[n:n+250, t:t+1] = x
      """, in: folder)
    #expect(try SequenceFile(path: folder.path("fits.h5")).warnings == [])
    let warnings = try SequenceFile(path: folder.path("large.h5")).warnings
    #expect(warnings.count == 1 && warnings[0].contains("inflates 250 times as much"), "\(warnings)")
    #expect(
      warnings.first?.contains(
        "h5repack -l frames:CHUNK=1x5x400x400 -f frames:GZIP=2 '\(folder.path("large.h5"))' '\(folder.path("large-repacked.h5"))'"
      ) == true)
  }

  @Test("filters that are not here are named, with the remedy")
  func filters() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames(); plain('lzf.h5', x, compression='lzf'); plain('scale.h5', x, scaleoffset=0)
      with start('blosc.h5') as f:
          f['mean'] = mean(x)
          s = h5py.h5s.create_simple(x.shape); c = h5py.h5p.create(h5py.h5p.DATASET_CREATE); c.set_chunk((1, 10, 24, 24))
          c.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (2, 2, 1, 5760))
          d = h5py.h5d.create(f.id, b'frames', h5py.h5t.STD_U8LE, s, c)
          for n in range(64): d.write_direct_chunk((n, 0, 0, 0), b'anything', 0)
      """, in: folder)
    for (name, filter) in [("lzf", "lzf"), ("scale", "scaleoffset"), ("blosc", "blosc")] {
      let text = message(folder, name + ".h5")
      #expect(
        text.hasPrefix(
          "\(name).h5: /frames: it was written with the filter \(filter), which this program does not read.")
          && text.contains("compression='gzip'"), "\(text)")
    }
  }

  @Test(
    "a file of a later HDF5 is told as such",
    .enabled(
      if: (try? Python.run("import h5py; assert h5py.version.hdf5_version_tuple >= (2, 0, 0)", [])) != nil,
      "python3 with an h5py of HDF5 2.0 or later was not found"))
  func newerVersion() throws {
    let folder = try TemporaryDirectory()
    try Self.write("plain('latest.h5', frames(), libver='latest', compression='gzip')", in: folder)
    let text = message(folder, "latest.h5")
    #expect(text.contains("probably written by a later HDF5 than this program's \(hdf5Version())"), "\(text)")
    #expect(text.contains("libver=('earliest', 'v110')") && !text.contains("damaged"), "\(text)")
  }

  @Test("data outside of the file must be there, complete, and in its folder")
  func sources() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames(); os.mkdir(p + 'in'); x.tofile(p + 'in/raw.bin'); x[:32].tofile(p + 'in/half.bin'); x.tofile(p + 'out.bin')
      os.symlink(p + 'out.bin', p + 'in/link.bin'); os.mkfifo(p + 'in/pipe.bin')
      for name, file in dict(raw='raw.bin', gone='gone.bin', half='half.bin', out='../out.bin', absolute=p + 'out.bin',
                             link='link.bin', pipe='pipe.bin').items():
          with start('in/' + name + '.h5') as f:
              f['mean'] = mean(x); f.create_dataset('frames', x.shape, 'u1', external=[(file, 0, x.size)])
      with h5py.File(p + 'in/part.h5', 'w') as f: f['x'] = x[:32]
      with h5py.File(p + 'in/rest.h5', 'w') as f: f['x'] = x[32:]
      for name, second in dict(whole='rest.h5', lost='nowhere.h5').items():
          l = h5py.VirtualLayout(shape=x.shape, dtype='u1')
          l[:32] = h5py.VirtualSource('part.h5', 'x', shape=(32, 10, 24, 24))
          l[32:] = h5py.VirtualSource(second, 'x', shape=(32, 10, 24, 24))
          with start('in/' + name + '.h5') as f: f['mean'] = mean(x); f.create_virtual_dataset('frames', l)
      with h5py.File(p + 'in/float.h5', 'w') as f: f['x'] = (x / 255).astype('f4')
      with start('in/other.h5') as f:
          l = h5py.VirtualLayout(shape=x.shape, dtype='u1')
          l[:] = h5py.VirtualSource('float.h5', 'x', shape=x.shape, dtype='u1')
          f['mean'] = mean(x); f.create_virtual_dataset('frames', l)
      with start('in/gap.h5') as f:
          l = h5py.VirtualLayout(shape=x.shape, dtype='u1'); l[:32] = h5py.VirtualSource('part.h5', 'x', shape=(32, 10, 24, 24))
          f['mean'] = mean(x); f.create_virtual_dataset('frames', l)
      with start('in/elsewhere.h5') as f: f['mean'] = mean(x); f['frames'] = h5py.ExternalLink('pipe.bin', '/x')
      """, in: folder)
    for name in ["raw", "whole"] {
      let file = try SequenceFile(path: folder.path("in/\(name).h5"))
      var frames = [UInt8](repeating: 0, count: 10 * 24 * 24)
      try file.readFrames(of: 63, first: 0, count: 10, into: &frames)
      #expect(frames.contains(200), "\(name)")
    }
    let table = [
      ("gone", "/frames: the elements are in 'gone.bin', which is not there"),
      ("half", "half.bin ends before the 368640"),
      ("out", "which is outside of the folder"), ("absolute", "which is outside of the folder"),
      ("link", "which is outside of the folder"), ("pipe", "which is no regular file"),
      ("lost", "/frames: it is assembled from 'nowhere.h5', which is not there"),
      ("gap", "only 184320 of its 368640 elements"), ("other", "float.h5 holds float32, and this data set uint8"),
      ("elsewhere", "/frames: it is a link to another file, 'pipe.bin'"),
    ]
    for (name, problem) in table {
      let text = message(folder, "in/\(name).h5")
      #expect(text.contains(problem), "\(text)")
    }
  }

  @Test("boxes of nothing read as zeros, boxes that are no numbers are refused")
  func boxes() throws {
    let folder = try TemporaryDirectory()
    try Self.write(
      """
      x = frames(8, 3)
      def truth(name, change, ids=True):
          with start(name) as f:
              f['frames'] = x; f['mean'] = mean(x)
              b = np.full((8, 3, 2, 4), [3, 3, 10, 10], 'f4'); i = np.tile(np.array([0, 1], 'i4'), (8, 3, 1)); change(b, i)
              f['boxes'] = b
              if ids: f['ids'] = i
      def absent(b, i): b[:, :, 1] = np.nan; i[:, :, 1] = -1
      def one(b, i): b[0, 1, 0] = np.nan
      def inf(b, i): b[0, 1, 0, 2] = np.inf
      def huge(b, i): b[5, 2, 1, 0] = 1e30
      truth('absent.h5', absent); truth('bare.h5', absent, False); truth('one.h5', one); truth('inf.h5', inf, False)
      def negative(b, i): b[2, 1, 1, 3] = -10
      truth('huge.h5', huge); truth('negative.h5', negative)
      """, in: folder)
    var boxes = [Float](repeating: 9, count: 24)
    for name in ["absent", "bare"] {
      try SequenceFile(path: folder.path("\(name).h5")).readBoxes(of: 0, first: 0, count: 3, into: &boxes)
      #expect(boxes == (0..<3).flatMap { _ in [3, 3, 10, 10, 0, 0, 0, 0] as [Float] }, "\(name)")
    }
    for (name, place) in [
      ("one", "sequence 0, frame 1"), ("inf", "sequence 0, frame 1"), ("huge", "sequence 5, frame 2"),
      ("negative", "sequence 2, frame 1"),
    ] {
      let file = try SequenceFile(path: folder.path("\(name).h5"))
      let text = Samples.message {
        for sequence in 0..<8 { try file.readBoxes(of: sequence, first: 0, count: 3, into: &boxes) }
      }
      #expect(text.contains("/boxes: \(place): the box of an object is ["), "\(text)")
      #expect(Samples.message { try file.verify() } == text)
    }
  }
}
