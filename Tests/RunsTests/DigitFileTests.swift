import Foundation
import Runs
import Storage
import TestSupport
import Testing

@Suite struct DigitFileTests {
  @Test func builtInDataIsWhatTheConfigurationSays() throws {
    var data = BuiltinDataConfiguration()
    data.trainSequences = 6
    data.validSequences = 4
    data.frames = 3
    data.canvas = 44
    data.maxDigits = 1
    data.motion = .reference
    data.seed = 5
    let folder = try TemporaryDirectory()
    try DigitFile.write(data.movingDigits(.train), to: folder.path("train.h5"))
    let train = try SequenceFile(path: folder.path("train.h5"))
    try DigitFile.write(data.movingDigits(.test), to: folder.path("valid.h5"), mean: train.mean)
    let valid = try SequenceFile(path: folder.path("valid.h5"))

    #expect(train.sequenceCount == 6 && valid.sequenceCount == 4)
    for file in [train, valid] {
      #expect(file.frameCount == 3 && file.height == 44 && file.width == 44)
      #expect(file.objectSlots == 1 && file.seed == 5)
      #expect(file.generator.contains(#""motion":"reference""#))
      #expect(file.mean == train.mean)
    }
    #expect(train.generator.contains(#""split":"train""#) && valid.generator.contains(#""split":"test""#))
  }

  @Test func workThatIsStoppedLeavesNothing() throws {
    struct Stop: Error {}
    let folder = try TemporaryDirectory()
    var data = BuiltinDataConfiguration()
    data.trainSequences = 600
    var done: [Int] = []
    #expect(throws: Stop.self) {
      try DigitFile.write(data.movingDigits(.train), to: folder.path("a.h5")) {
        done.append($0)
        if $0 >= 300 { throw Stop() }
      }
    }
    #expect(done.last.map { $0 >= 300 && $0 < 600 } == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}
