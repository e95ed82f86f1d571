import Evaluation
import Foundation
import MovingDigits
import Runs
import Storage
import TestSupport
import Testing
import Tracking

/// What is measured where objects hide, on answers whose measures are known.
@Suite struct OcclusionTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func file(_ challenge: Challenge) throws -> SequenceSet {
    var settings = MovingDigitsSettings()
    settings.sequences = 6
    settings.motion = .reference
    settings.challenge = challenge
    try DigitFile.write(settings, to: folder.path("hard.h5"), overwrite: true)
    return try SequenceSet(path: folder.path("hard.h5"))
  }

  /// The measures of answers made from the truth of every sequence.
  private func sums(
    _ challenge: Challenge, _ change: (_ frame: Int, inout OcclusionMeasurement.FrameOutput) -> Void
  ) throws -> [OcclusionSums] {
    let file = try file(challenge)
    return try (0..<6).map { sequence in
      let truth = try OcclusionTruth(file, sequence: sequence, frameCount: 10)
      let answers = (0..<10).map { frame in
        var answer = OcclusionMeasurement.FrameOutput(
          picture: truth.scenes[frame], boxes: truth.objects[frame].map(\.box),
          objects: truth.objects[frame].map { truth.image(of: $0) },
          identities: Set(truth.objects[frame].map(\.box.id)))
        change(frame, &answer)
        return answer
      }
      return OcclusionMeasurement(truth: truth, minimumOverlap: 0.5).measure(answers)
    }
  }

  private func total(_ sums: [OcclusionSums], _ quantity: OcclusionSums.Quantity) -> Double {
    sums.reduce(0) { sum, more in sum + (0..<RatioClass.count).reduce(0) { $0 + more[quantity, $1] } }
  }

  @Test(arguments: [Challenge.overlap, .occluded(barShade: 0)])
  func thePerfectAnswer(challenge: Challenge) throws {
    let sums = try sums(challenge) { _, _ in }
    #expect(total(sums, .sceneError) == 0 && total(sums, .hiddenError) == 0 && total(sums, .objectError) == 0)
    #expect(total(sums, .scenePixels) == 60 * 2500 && total(sums, .frames) == 60)
    #expect(total(sums, .found) == total(sums, .present) && total(sums, .countedCorrectly) == 60)
    #expect(total(sums, .pairsKept) == total(sums, .pairsFound))
    #expect(total(sums, .keptSinceFound) == total(sums, .foundBefore) && total(sums, .foundBefore) > 30)
    if challenge == .overlap {
      #expect(total(sums, .pairs) == 6 && total(sums, .pairsFound) == 6)
      #expect(total(sums, .hiddenPixels) == 0 && total(sums, .objects) == 120)
      // Apart at first and in the end, half covered in between.
      for sequence in sums {
        #expect(sequence[.frames, 0] >= 2 && sequence[.frames, 3] + sequence[.frames, 4] >= 1)
      }
    } else {
      #expect(total(sums, .hiddenPixels) > 600 && total(sums, .hiddenInk) > 0)
      #expect(sums.allSatisfy { $0[.present, 4] >= 2 && $0[.present, 0] + $0[.present, 1] + $0[.present, 2] >= 2 })
    }
  }

  @Test func theEmptyAnswer() throws {
    let sums = try sums(.occluded(barShade: 0)) { _, answer in
      answer = .init(picture: Array(repeating: 0, count: 2500), boxes: [], objects: [], identities: [])
    }
    #expect(total(sums, .sceneError) == total(sums, .sceneInk) && total(sums, .sceneInk) > 0)
    #expect(total(sums, .hiddenError) == total(sums, .hiddenInk) && total(sums, .hiddenInk) > 0)
    #expect(total(sums, .objectError) == total(sums, .objectInk) && total(sums, .objectInk) > 0)
    #expect(total(sums, .found) == 0 && total(sums, .present) > 30)
    #expect(total(sums, .pairsFound) == 0)
  }

  @Test func aBlackBarLeavesItsInkToBeGuessed() throws {
    let file = try file(.occluded(barShade: 0))
    for sequence in 0..<6 {
      let truth = try OcclusionTruth(file, sequence: sequence, frameCount: 10)
      var bytes = [UInt8](repeating: 0, count: 25_000)
      try file.readFrames(of: sequence, first: 0, count: 10, into: &bytes)
      // Whoever draws what is seen errs by the ink behind the bar, there and only there.
      let answers = (0..<10).map { frame in
        OcclusionMeasurement.FrameOutput(
          picture: bytes[frame * 2500..<(frame + 1) * 2500].map { Float($0) * (1 / 255) }, boxes: [], objects: [],
          identities: [])
      }
      let sums = OcclusionMeasurement(truth: truth, minimumOverlap: 0.5).measure(answers)
      #expect(sums[.hiddenError] == sums[.hiddenInk] && sums[.hiddenInk] > 0)
      #expect(abs(sums[.sceneError] - sums[.hiddenInk]) < 1e-9 * sums[.hiddenInk])
    }
  }

  @Test func exchangedIdentitiesAreNotKept() throws {
    let exchanged = try sums(.overlap) { frame, answer in
      guard frame >= 5 else { return }
      for place in answer.boxes.indices { answer.boxes[place].id = 1 - answer.boxes[place].id }
    }
    #expect(total(exchanged, .pairs) == 6 && total(exchanged, .pairsFound) == 6)
    #expect(total(exchanged, .pairsKept) == 0)
    // An object that is not found again is no identity that was kept.
    let lost = try sums(.overlap) { frame, answer in
      guard frame >= 5 else { return }
      answer.boxes = Array(answer.boxes.prefix(1))
      answer.objects = Array(answer.objects.prefix(1))
    }
    #expect(total(lost, .pairsFound) == 0 && total(lost, .pairsKept) == 0)
    #expect(total(lost, .countedCorrectly) == 30)
  }

  @Test func anObjectWithoutABoxIsKeptAsLongAsItsIdentityIsPresent() throws {
    let found = try sums(.occluded(barShade: 0)) { _, _ in }
    let believed = try sums(.occluded(barShade: 0)) { frame, answer in
      if frame >= 2 { answer.boxes = [] }
    }
    #expect(total(believed, .found) < total(found, .found))
    #expect(total(believed, .keptSinceFound) == total(believed, .foundBefore))
    #expect(total(believed, .foundBefore) > 0 && total(believed, .recognized) == 0)
    #expect(total(found, .reappeared) > 0 && total(found, .recognized) == total(found, .reappeared))
    let forgotten = try sums(.occluded(barShade: 0)) { frame, answer in
      guard frame >= 2 else { return }
      answer.boxes = []
      answer.identities = []
    }
    #expect(total(forgotten, .foundBefore) == total(believed, .foundBefore))
    // Of the first two frames the second keeps what the first found.
    let early = total(forgotten, .keptSinceFound)
    #expect(early > 0 && early < total(forgotten, .foundBefore) / 2)
    // An object that comes back under another identity was not kept.
    let renamed = try sums(.occluded(barShade: 0)) { frame, answer in
      guard frame >= 2 else { return }
      for place in answer.boxes.indices { answer.boxes[place].id += 10 }
      answer.identities = Set(answer.boxes.map(\.id))
    }
    #expect(total(renamed, .keptSinceFound) > early)
    #expect(total(renamed, .keptSinceFound) < total(renamed, .foundBefore))
    #expect(total(renamed, .reappeared) == total(found, .reappeared))
  }

  @Test func anObjectIsComparedWithTheDrawnOneThatIsMostLikeIt() throws {
    let turned = try sums(.overlap) { _, answer in answer.objects.reverse() }
    #expect(total(turned, .objectError) == 0)
    // Something that is worse than nothing counts as nothing.
    let white = try sums(.overlap) { _, answer in answer.objects = [Array(repeating: 1, count: 2500)] }
    #expect(total(white, .objectError) == total(white, .objectInk))
  }
}
