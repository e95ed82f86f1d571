import Numerics

extension MovingDigits {
  /// A sequence made to be hard, or nil where this try did not become one.
  func tryToChallenge(_ challenge: Challenge, random: inout CounterRandom.Reader) -> DigitSequence? {
    switch challenge {
    case .occluded(let shade): tryToOcclude(shade: shade, random: &random)
    case .overlap: tryToCross(random: &random)
    }
  }

  /// Pixels of an object in one frame, weighted by its ink.
  private struct Ink {
    var total = 0
    var inside = 0
    var behindBar = 0
    var seen = 0
  }

  // MARK: Behind a bar

  private func tryToOcclude(shade: UInt8, random: inout CounterRandom.Reader) -> DigitSequence? {
    let tracks = self.tracks(count: 1 + random.index(below: settings.maximumDigits), random: &random)
    let bar = self.bar(random: &random)
    var sequence = render(tracks)
    let inks = self.inks(of: tracks, in: sequence.frames, bar: bar)
    func isWhole(_ ink: Ink) -> Bool { 10 * ink.seen >= 9 * ink.total }
    func isHidden(_ ink: Ink) -> Bool { 2 * ink.behindBar >= ink.total }
    guard inks.allSatisfy({ $0.prefix(2).allSatisfy(isWhole) }),
      inks.contains(where: { $0.count(where: isHidden) >= 2 })
    else { return nil }
    hide(inks, of: tracks, bars: [bar], in: &sequence)
    for frame in 0..<settings.frames {
      for row in bar.y..<bar.y + bar.height {
        let start = (frame * settings.canvasHeight + row) * settings.canvasWidth + bar.x
        for column in 0..<bar.width { sequence.frames[start + column] = shade }
      }
    }
    return sequence
  }

  /// A bar from border to border, upright or lying, a fifth to a third of the canvas wide.
  private func bar(random: inout CounterRandom.Reader) -> Bar {
    let isUpright = random.index(below: 2) == 0
    let length = isUpright ? settings.canvasWidth : settings.canvasHeight
    let (least, most) = (max(1, length / 5), max(1, length / 3))
    let thickness = least + random.index(below: most - least + 1)
    let start = random.index(below: length - thickness + 1)
    return isUpright
      ? Bar(y: 0, x: start, height: settings.canvasHeight, width: thickness)
      : Bar(y: start, x: 0, height: thickness, width: settings.canvasWidth)
  }

  // MARK: Crossing

  /// Straight lines: the first digit from anywhere to anywhere, the second from anywhere through the point where the
  /// first is at mid-sequence, all inside the canvas.
  private func tryToCross(random: inout CounterRandom.Reader) -> DigitSequence? {
    let images = (0..<2).map { _ in source.image(at: random.index(below: source.count)) }
    let last = Double(settings.frames - 1)
    let meeting = Double((settings.frames - 1 + random.index(below: 2)) / 2)
    func line(_ start: Double, _ velocity: Double) -> [Int] {
      (0..<settings.frames).map { Int((start + velocity * Double($0)).rounded()) }
    }
    /// The first digit's positions on one axis and the second's; nil where the second would leave the canvas.
    func axis(_ canvas: Int, _ lengths: [Int]) -> [[Int]]? {
      let room = lengths.map { Double(canvas - $0) }
      let start = random.uniform() * room[0]
      let velocity = (random.uniform() * room[0] - start) / last
      let nearness = random.uniform(-2, 2)
      let crossing = start + velocity * meeting + Double(lengths[0] - lengths[1]) / 2 + nearness
      let otherStart = random.uniform() * room[1]
      let otherVelocity = (crossing - otherStart) / meeting
      let otherEnd = otherStart + otherVelocity * last
      guard otherEnd >= 0, otherEnd <= room[1] else { return nil }
      return [line(start, velocity), line(otherStart, otherVelocity)]
    }
    guard let rows = axis(settings.canvasHeight, images.map(\.height)),
      let columns = axis(settings.canvasWidth, images.map(\.width))
    else { return nil }
    let tracks = (0..<2).map { DigitTrack(image: images[$0], rows: rows[$0], columns: columns[$0]) }
    let smaller = images.map { $0.height * $0.width }.min()!
    guard tracks[0].intersection(with: tracks[1], frame: 0) == 0,
      tracks[0].intersection(with: tracks[1], frame: settings.frames - 1) == 0,
      2 * tracks[0].intersection(with: tracks[1], frame: Int(meeting)) >= smaller
    else { return nil }
    var sequence = render(tracks)
    hide(inks(of: tracks, in: sequence.frames, bar: nil), of: tracks, bars: [], in: &sequence)
    return sequence
  }

  // MARK: What is hidden

  /// For each track and frame how much of its ink is where; `frames` are without the bar.
  private func inks(of tracks: [DigitTrack], in frames: [UInt8], bar: Bar?) -> [[Ink]] {
    tracks.map { track in
      (0..<settings.frames).map { frame in
        var ink = Ink()
        for index in track.image.pixels.indices where track.image.pixels[index] > 0 {
          let pixel = track.image.pixels[index]
          let row = track.rows[frame] + index / track.image.width
          let column = track.columns[frame] + index % track.image.width
          ink.total += Int(pixel)
          guard (0..<settings.canvasHeight).contains(row), (0..<settings.canvasWidth).contains(column) else { continue }
          ink.inside += Int(pixel)
          if bar?.contains(row, column) == true {
            ink.behindBar += Int(pixel)
          } else if frames[(frame * settings.canvasHeight + row) * settings.canvasWidth + column] == pixel {
            ink.seen += Int(pixel)
          }
        }
        return ink
      }
    }
  }

  /// Writes down what the frames will not show, and takes objects that are wholly outside the canvas out of the truth.
  /// The frames are still without bars.
  private func hide(_ inks: [[Ink]], of tracks: [DigitTrack], bars: [Bar], in sequence: inout DigitSequence) {
    let slots = settings.maximumDigits
    let (height, width) = (source.maximumHeight, source.maximumWidth)
    var hidden = HiddenTruth(
      visible: Array(repeating: 0, count: settings.frames * slots),
      ink: Array(repeating: 0, count: slots * height * width),
      bars: bars.flatMap { [$0.y, $0.x, $0.height, $0.width].map { Float($0) } },
      unoccluded: bars.isEmpty ? [] : sequence.frames)
    for (slot, track) in tracks.enumerated() {
      for row in 0..<track.image.height {
        let start = (slot * height + row) * width
        hidden.ink.replaceSubrange(
          start..<start + track.image.width,
          with: track.image.pixels[row * track.image.width..<(row + 1) * track.image.width])
      }
      for frame in 0..<settings.frames {
        let ink = inks[slot][frame]
        let entry = frame * slots + slot
        hidden.visible[entry] = Float(Double(ink.seen) / Double(ink.total))
        guard ink.inside == 0 else { continue }
        sequence.counts[frame] -= 1
        sequence.ids[entry] = -1
        sequence.boxes.replaceSubrange(4 * entry..<4 * entry + 4, with: repeatElement(0, count: 4))
      }
    }
    sequence.hidden = hidden
  }
}
