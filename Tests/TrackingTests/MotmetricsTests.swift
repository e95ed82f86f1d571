import Foundation
import TestSupport
import Testing
import Tracking

/// The measures agree with those of the Python package `motmetrics`: stored ones everywhere, fresh ones where it is
/// installed, and on the real pedestrians of PETS 2009 where the environment variable SQAIR_PETS names their folder.
@Suite struct MotmetricsTests {
  private static let hasPackage = Python.has("motmetrics")
  private static let pets = ProcessInfo.processInfo.environment["SQAIR_PETS"].map { $0 + "/gt.txt" }

  private func expectAgreement(_ file: TrackFile) {
    var total = TrackingCounts()
    for (place, frames) in file.frames.enumerated() {
      let counts = SequenceTracking(frames).counts
      total += counts
      expectEqual(counts, file.measures[place], "sequence \(place)")
    }
    expectEqual(total, file.overall, "overall")
  }

  private func expectEqual(_ counts: TrackingCounts, _ expected: [String: Double?], _ place: String) {
    #expect(expected.count == 20)
    for (name, value) in expected {
      let found = counts.measure(name)
      if let value {
        #expect(abs((found ?? .nan) - value) <= 1e-9, "\(place): \(name) is \(String(describing: found)), not \(value)")
      } else {
        #expect(found?.isFinite == false, "\(place): \(name) is \(String(describing: found)), not undefined")
      }
    }
  }

  @Test func storedTracks() throws {
    let url = try #require(Bundle.module.url(forResource: "tracks", withExtension: "json", subdirectory: "Fixtures"))
    let file = try TrackFile(Data(contentsOf: url))
    #expect(file.sequences.count == 9)
    // Every number has to occur for the agreement to mean something.
    for (name, value) in file.overall { #expect((value ?? 0) > 0, "\(name)") }
    expectAgreement(file)
  }

  @Test(.enabled(if: hasPackage, "needs python3 (or SQAIR_PYTHON) with the package motmetrics"), arguments: [2, 3])
  func freshTracks(seed: Int) throws {
    expectAgreement(try TrackFile.made("random", "\(seed)"))
  }

  @Test(
    .enabled(if: hasPackage, "needs python3 (or SQAIR_PYTHON) with the package motmetrics"),
    .enabled(if: pets != nil, "needs the environment variable SQAIR_PETS: the folder with gt.txt of PETS09-S2L1"))
  func realTracks() throws {
    let file = try TrackFile.made("file", #require(Self.pets), "4")
    #expect(file.sequences[0].count == 795)
    expectAgreement(file)
  }
}
