import Foundation
import MovingDigits
import Testing

/// Sequences made to hide objects, against a slow rendering from their own ground truth.
@Suite struct ChallengeTests {
  private let height = 50
  private let width = 44

  private func make(
    _ challenge: Challenge, _ change: (inout MovingDigitsSettings) -> Void = { _ in }
  ) throws -> MovingDigits {
    var settings = MovingDigitsSettings()
    settings.canvasHeight = height
    settings.canvasWidth = width
    settings.motion = .reference
    settings.challenge = challenge
    change(&settings)
    return try MovingDigits(settings, source: Rectangles())
  }

  /// An object's grey level at a pixel of the canvas, from `/ink` and its box.
  private func ink(_ hidden: HiddenTruth, _ box: Box, slot: Int, _ row: Int, _ column: Int) -> UInt8 {
    guard (box.y..<box.y + box.height).contains(row), (box.x..<box.x + box.width).contains(column) else { return 0 }
    let source = Rectangles()
    return hidden.ink[(slot * source.maximumHeight + row - box.y) * source.maximumWidth + column - box.x]
  }

  /// Draws a sequence from boxes, ink and bars, and checks frames, unoccluded frames, shares and presence.
  private func expectConsistent(_ sequence: DigitSequence, shade: UInt8) throws {
    let hidden = try #require(sequence.hidden)
    let slots = sequence.labels.count
    let bars = stride(from: 0, to: hidden.bars.count, by: 4).map { start in
      hidden.bars[start..<start + 4].map { Int($0) }
    }
    for frame in sequence.counts.indices {
      let present = (0..<slots).filter { sequence.ids[frame * slots + $0] >= 0 }
      #expect(present.count == Int(sequence.counts[frame]))
      var seen = [Int](repeating: 0, count: slots)
      for row in 0..<height {
        for column in 0..<width {
          let place = (frame * height + row) * width + column
          let own = (0..<slots).map { slot in
            present.contains(slot) ? ink(hidden, sequence.box(frame: frame, slot: slot), slot: slot, row, column) : 0
          }
          let scene = own.max()!
          let isBehind = bars.contains { bar in
            (bar[0]..<bar[0] + bar[2]).contains(row) && (bar[1]..<bar[1] + bar[3]).contains(column)
          }
          if sequence.frames[place] != (isBehind ? shade : scene) { Issue.record("frame \(frame): \(row), \(column)") }
          if !bars.isEmpty, hidden.unoccluded[place] != scene { Issue.record("unoccluded \(frame): \(row), \(column)") }
          if isBehind { continue }
          for slot in 0..<slots where own[slot] == scene { seen[slot] += Int(own[slot]) }
        }
      }
      for slot in 0..<slots {
        let share = hidden.visible[frame * slots + slot]
        guard present.contains(slot) else {
          #expect(share == 0 && sequence.box(frame: frame, slot: slot).height == 0)
          continue
        }
        let size = Rectangles().maximumHeight * Rectangles().maximumWidth
        let total = hidden.ink[slot * size..<(slot + 1) * size].reduce(0) { $0 + Int($1) }
        #expect(abs(share - Float(seen[slot]) / Float(total)) < 1e-6)
      }
    }
  }

  @Test(arguments: [UInt8(0), 90])
  func behindABar(shade: UInt8) throws {
    let digits = try make(.occluded(barShade: shade)) { $0.maximumDigits = 3 }
    var (half, whole, absent) = (0, 0, 0)
    for index in 0..<40 {
      let sequence = digits.sequence(index)
      try expectConsistent(sequence, shade: shade)
      let hidden = try #require(sequence.hidden)
      #expect(hidden.bars.count == 4)
      let objects = sequence.labels.filter { $0 != 255 }.count
      #expect(objects >= 1)
      for slot in 0..<objects {
        let shares = (0..<10).map { hidden.visible[$0 * 3 + slot] }
        #expect(shares[0] >= 0.9 && shares[1] >= 0.9)
        half += shares.count { $0 <= 0.5 }
        whole += shares.count { $0 >= 0.9 }
        absent += (0..<10).count { sequence.ids[$0 * 3 + slot] < 0 }
      }
    }
    #expect(half >= 80 && whole >= 200 && absent > 0, "\(half) \(whole) \(absent)")
  }

  @Test(arguments: [3, 10, 25])
  func twoDigitsCross(frames: Int) throws {
    let digits = try make(.overlap) { $0.frames = frames }
    for index in 0..<40 {
      let sequence = digits.sequence(index)
      try expectConsistent(sequence, shade: 0)
      #expect(try #require(sequence.hidden).bars.isEmpty && sequence.hidden?.unoccluded == [])
      #expect(sequence.counts.allSatisfy { $0 == 2 })
      let boxes = (0..<frames).map { frame in (0..<2).map { sequence.box(frame: frame, slot: $0) } }
      for pair in boxes {
        for box in pair {
          #expect(box.y >= 0 && box.x >= 0 && box.y + box.height <= height && box.x + box.width <= width)
        }
      }
      let meets = boxes.map { $0[0].overlaps($0[1]) }
      #expect(!meets[0] && !meets[frames - 1])
      let first = try #require(meets.firstIndex(of: true)), last = try #require(meets.lastIndex(of: true))
      #expect(meets[first...last].allSatisfy { $0 } && first <= frames / 2 && last >= (frames - 1) / 2)
    }
  }

  @Test func aSequenceIsAFunctionOfItsSeedAndIndex() throws {
    for challenge in [Challenge.occluded(barShade: 0), .overlap] {
      let (one, other) = (try make(challenge), try make(challenge) { $0.sequences = 3 })
      var made: [DigitSequence] = []
      one.generate(5..<25, threads: 3, blockLength: 7) { made += $1 }
      #expect(made == (5..<25).map(other.sequence))
      #expect(made != (5..<25).map(try make(challenge) { $0.seed = 1 }.sequence))
    }
  }

  @Test func ordinarySequencesHideNothing() throws {
    #expect(try MovingDigits(MovingDigitsSettings(), source: Rectangles()).sequence(0).hidden == nil)
  }

  @Test func whatCannotHideIsRefused() {
    let table: [(Challenge, (inout MovingDigitsSettings) -> Void, String)] = [
      (.occluded(barShade: 0), { $0.frames = 3 }, "frames is 3, expected 4 or more"),
      (.overlap, { $0.frames = 2 }, "frames is 2, expected 3 or more"),
      (.overlap, { $0.maximumDigits = 3 }, "maximumDigits is 3, expected 2 for digits that cross"),
    ]
    for (challenge, change, text) in table {
      let error = #expect(throws: MovingDigitsError.self) { _ = try make(challenge, change) }
      #expect(error.map { "\($0)".contains(text) } == true, "\(String(describing: error))")
    }
    // Slow digits are too large to be whole in one frame and half behind the bar two frames later.
    var settings = MovingDigitsSettings()
    settings.challenge = .occluded(barShade: 0)
    settings.frames = 4
    settings.maximumDigits = 1
    let error = #expect(throws: MovingDigitsError.self) { _ = try MovingDigits(settings, source: Square()) }
    #expect(error.map { "\($0)".contains("almost never occluded as requested: 0 of 1000 attempts") } == true)
  }

  private struct Square: DigitSource {
    let count = 1
    let maximumHeight = 30
    let maximumWidth = 30
    let provenance = "a square"

    func image(at index: Int) -> DigitImage {
      DigitImage(cutting: [UInt8](repeating: 200, count: 900), height: 30, width: 30, label: 0)!
    }
  }

  @Test func aSettingThatIsNotGivenIsNotRecorded() throws {
    var settings = MovingDigitsSettings()
    func json() throws -> String { String(decoding: try JSONEncoder().encode(settings), as: UTF8.self) }
    #expect(try !json().contains("challenge"))
    settings.challenge = .occluded(barShade: 7)
    #expect(try json().contains(#""challenge":{"occluded":{"barShade":7}}"#))
    #expect(try JSONDecoder().decode(MovingDigitsSettings.self, from: Data(json().utf8)) == settings)
  }
}
