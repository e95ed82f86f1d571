import Foundation
import MovingDigits
import Numerics
import Testing

@Suite("Moving digits")
struct MovingDigitsTests {
  @Test("the same seed gives the same sequence, another seed, split or index another one")
  func determinism() throws {
    let settings = MovingDigitsSettings.with { $0.seed = 7 }
    let first = try MovingDigits(settings)
    let again = try MovingDigits(settings)
    for index in 0..<20 { #expect(first.sequence(index) == again.sequence(index)) }

    func prints(_ change: (inout MovingDigitsSettings) -> Void) throws -> [UInt64] {
      var changed = settings
      change(&changed)
      let digits = try MovingDigits(changed)
      return (0..<20).map { digits.sequence($0).fingerprint }
    }
    let base = try prints { _ in }
    #expect(try prints { $0.seed = 8 } != base)
    #expect(try prints { $0.split = .test } != base)
    #expect(try prints { $0.motion = .reference } != base)
    // Not only the digits of the splits are different ones: they move apart from each other too.
    let (train, test) = (
      try MovingDigits(settings, source: Rectangles()),
      try MovingDigits(.with { ($0.seed, $0.split) = (7, .test) }, source: Rectangles())
    )
    #expect((0..<20).map { train.sequence($0).counts } != (0..<20).map { test.sequence($0).counts })
    // Empty sequences are all alike; the others are not.
    let filled = (0..<300).map(first.sequence).filter { $0.counts[0] > 0 }.map(\.fingerprint)
    #expect(Set(filled).count == filled.count)
  }

  @Test("a sequence depends neither on the total number, nor on threads, nor on blocks, and comes in order")
  func independence() throws {
    let digits = try MovingDigits(.with { $0.sequences = 1 })
    let more = try MovingDigits(.with { $0.sequences = 60_000 })
    let expected = (100..<177).map(digits.sequence)
    for (threads, blockLength) in [(1, 256), (2, 256), (3, 10), (8, 1), (2, 77)] {
      var indices: [Int] = []
      var made: [DigitSequence] = []
      more.generate(100..<177, threads: threads, blockLength: blockLength) { block, sequences in
        #expect(block.count == sequences.count)
        indices += block
        made += sequences
      }
      #expect(indices == Array(100..<177))
      #expect(made == expected)
    }
  }

  @Test("an index beyond 32 bits has a sequence of its own")
  func largeIndex() throws {
    let digits = try MovingDigits(.with { $0.maximumDigits = 2 })
    let indices = (0..<30).filter { digits.sequence($0).counts[0] > 0 }
    #expect(indices.contains { digits.sequence($0) != digits.sequence($0 + 1 << 32) })
  }

  @Test("what a consumer throws ends the production")
  func consumerThrows() throws {
    struct DiskFull: Error {}
    let digits = try MovingDigits(MovingDigitsSettings())
    var blocks = 0
    #expect(throws: DiskFull.self) {
      try digits.generate(0..<100, threads: 2, blockLength: 10) { _, _ in
        blocks += 1
        if blocks == 3 { throw DiskFull() }
      }
    }
    #expect(blocks == 3)
  }

  @Test(
    "the pixels of known seeds have not changed",
    arguments: [
      (Motion.gentle, DigitSplit.train, UInt64(0xcbd6_5048_64f5_84a3)), (.reference, .test, 0xc2b0_ad16_f549_044e),
    ])
  func regression(motion: Motion, split: DigitSplit, expected: UInt64) throws {
    let digits = try MovingDigits(
      .with {
        $0.seed = 2026
        $0.motion = motion
        $0.split = split
      })
    let found = (0..<12).reduce(UInt64(0)) { ($0 &* 31) &+ digits.sequence($1).fingerprint }
    #expect(found == expected, "found \(String(found, radix: 16)); files made before can no longer be made again")
  }

  @Test("shapes and absent objects are as the sequence file wants them", arguments: Motion.allCases)
  func shapes(motion: Motion) throws {
    let settings = MovingDigitsSettings.with {
      $0.frames = 4
      $0.canvasHeight = 60
      $0.canvasWidth = 44
      $0.maximumDigits = 3
      $0.motion = motion
    }
    let digits = try MovingDigits(settings, source: Rectangles())
    for index in 0..<60 {
      let sequence = digits.sequence(index)
      try #require(sequence.frames.count == 4 * 60 * 44)
      try #require(sequence.counts.count == 4)
      try #require(sequence.boxes.count == 4 * 3 * 4)
      try #require(sequence.ids.count == 4 * 3)
      try #require(sequence.labels.count == 3)
      let count = Int(sequence.counts[0])
      #expect(sequence.counts == Array(repeating: UInt8(count), count: 4))
      for slot in 0..<3 {
        let present = slot < count
        #expect((sequence.labels[slot] != 255) == present)
        for frame in 0..<4 {
          #expect(sequence.ids[frame * 3 + slot] == (present ? Int32(slot) : -1))
          let box = sequence.box(frame: frame, slot: slot)
          if present {
            let image = Rectangles().image(at: Int(sequence.labels[slot]))
            #expect((box.height, box.width) == (image.height, image.width))
          } else {
            #expect(box == Box(y: 0, x: 0, height: 0, width: 0))
          }
        }
      }
    }
  }

  @Test("counts are uniform in 0...maximum", arguments: [1, 2, 3])
  func countsAreUniform(maximum: Int) throws {
    let digits = try MovingDigits(
      .with {
        $0.maximumDigits = maximum
        $0.frames = 1
      }, source: Rectangles())
    var histogram = Array(repeating: 0, count: maximum + 1)
    let draws = 6000
    digits.generate(0..<draws) { _, block in
      for sequence in block { histogram[Int(sequence.counts[0])] += 1 }
    }
    let expected = Double(draws) / Double(maximum + 1)
    let chiSquare = histogram.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // 16.3 is exceeded once in a thousand seeds at three degrees of freedom; this seed is fixed.
    #expect(chiSquare < 16.3, "histogram \(histogram)")
  }

  @Test("every pixel is the lightest of the digits on it, cropped at the border", arguments: Motion.allCases)
  func rendering(motion: Motion) throws {
    let settings = MovingDigitsSettings.with {
      $0.motion = motion
      $0.maximumDigits = 3
      $0.canvasWidth = 41
    }
    let digits = try MovingDigits(settings, source: Rectangles())
    var overlapping = 0
    for index in 0..<120 {
      let sequence = digits.sequence(index)
      var expected = Array(repeating: UInt8(0), count: sequence.frames.count)
      for frame in 0..<settings.frames {
        for slot in 0..<Int(sequence.counts[frame]) {
          let image = Rectangles().image(at: Int(sequence.labels[slot]))
          let box = sequence.box(frame: frame, slot: slot)
          for row in 0..<box.height where (0..<50).contains(box.y + row) {
            for column in 0..<box.width where (0..<41).contains(box.x + column) {
              let pixel = (frame * 50 + box.y + row) * 41 + box.x + column
              if expected[pixel] != 0 { overlapping += 1 }
              expected[pixel] = max(expected[pixel], image.pixels[row * image.width + column])
            }
          }
        }
      }
      #expect(sequence.frames == expected)
    }
    #expect(overlapping > 100, "digits have to meet for this test to mean anything")
  }

  @Test("a box is the bounding box of the ink")
  func boxesAgreeWithInk() throws {
    let digits = try MovingDigits(.with { $0.maximumDigits = 1 })
    var seen = 0
    for index in 0..<60 {
      let sequence = digits.sequence(index)
      for frame in 0..<10 where sequence.counts[frame] == 1 {
        let pixels = Array(sequence.frames[(frame * 2500)..<((frame + 1) * 2500)])
        let rows = (0..<50).filter { y in (0..<50).contains { x in pixels[y * 50 + x] > 0 } }
        let columns = (0..<50).filter { x in (0..<50).contains { y in pixels[y * 50 + x] > 0 } }
        let (bottom, right) = try (#require(rows.last), #require(columns.last))
        let ink = Box(y: rows[0], x: columns[0], height: bottom - rows[0] + 1, width: right - columns[0] + 1)
        #expect(sequence.box(frame: frame, slot: 0) == ink)
        seen += 1
      }
    }
    #expect(seen > 200)
  }

  @Test("first-frame boxes do not overlap and lie inside, spread evenly", arguments: Motion.allCases)
  func firstFrame(motion: Motion) throws {
    let digits = try MovingDigits(
      .with {
        $0.motion = motion
        $0.maximumDigits = 4
        $0.frames = 1
      }, source: Rectangles())
    var (share, singles) = (0.0, 0)
    digits.generate(0..<4000) { _, block in
      for sequence in block {
        let boxes = (0..<Int(sequence.counts[0])).map { sequence.box(frame: 0, slot: $0) }
        for (slot, box) in boxes.enumerated() {
          #expect(box.y >= 0 && box.x >= 0 && box.y + box.height <= 50 && box.x + box.width <= 50)
          #expect(!boxes[..<slot].contains(where: box.overlaps))
        }
        if boxes.count == 1 {
          share += Double(boxes[0].y) / Double(50 - boxes[0].height)
          singles += 1
        }
      }
    }
    #expect(singles > 600)
    // The mean of 600 uniforms is within 0.5 ± 0.05 (four standard errors).
    #expect(abs(share / Double(singles) - 0.5) < 0.05)
  }

  @Test("impossible settings are refused with the reason")
  func refusals() {
    let table: [(MovingDigitsSettings, String)] = [
      (
        .with { $0.sequences = 0 },
        "cannot make moving digits: sequences is 0, expected 1 to 1000000000."
      ),
      (
        .with {
          $0.frames = 0
          $0.maximumDigits = 0
        },
        "cannot make moving digits: frames is 0, expected 1 to 10000; maximumDigits is 0, expected 1 to 255."
      ),
      (
        .with { $0.canvasWidth = -3 },
        "cannot make moving digits: canvasWidth is -3, expected 1 to 4096."
      ),
      (
        .with { $0.digits = .mnist(directory: "") },
        "cannot make moving digits: the folder of the MNIST files is empty, expected one such as data/mnist."
      ),
      (
        .with { $0.canvasHeight = 19 },
        "a canvas of 19x50 cannot hold digits of up to 20x20 pixels. Make the canvas at least that large."
      ),
      (
        .with { $0.maximumDigits = 12 },
        "a canvas of 50x50 is too small for 12 digits that do not overlap in the first frame: 0 of 1000 attempts "
          + "succeeded. Ask for fewer digits or make the canvas larger."
      ),
    ]
    for (settings, text) in table {
      #expect(throws: MovingDigitsError(text)) { try MovingDigits(settings) }
    }
  }

  @Test("a canvas just large enough for one digit works")
  func smallestCanvas() throws {
    let digits = try MovingDigits(
      .with {
        $0.canvasHeight = 20
        $0.canvasWidth = 20
        $0.maximumDigits = 1
      })
    for index in 0..<40 {
      let sequence = digits.sequence(index)
      for frame in 0..<10 where sequence.counts[frame] == 1 {
        let box = sequence.box(frame: frame, slot: 0)
        #expect(box.y >= 0 && box.x >= 0 && box.y + box.height <= 20 && box.x + box.width <= 20)
      }
    }
  }

  @Test("settings survive JSON, which names every one of them")
  func settingsAsJSON() throws {
    let settings = MovingDigitsSettings.with {
      $0.digits = .mnist(directory: "data/mnist")
      $0.motion = .reference
      $0.split = .test
      $0.seed = .max
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = try encoder.encode(settings)
    #expect(
      String(decoding: json, as: UTF8.self)
        == #"{"canvasHeight":50,"canvasWidth":50,"digits":{"mnist":{"directory":"data/mnist"}},"frames":10,"#
        + #""maximumDigits":2,"motion":"reference","seed":18446744073709551615,"sequences":60000,"split":"test"}"#)
    #expect(try JSONDecoder().decode(MovingDigitsSettings.self, from: json) == settings)
  }
}
