import Foundation
import Report
import Testing

@Suite struct ProgressLineTests {
  /// A clock that stands still until told and a sink that remembers.
  final class Scene {
    var time = 100.0
    var columns = 80
    var output: [String] = []

    func line(terminal: Bool, total: UInt64? = 1000, startingAt: UInt64 = 0, interval: Double = 10) -> ProgressLine {
      ProgressLine(
        label: "train", total: total, unit: "steps", startingAt: startingAt, interval: interval,
        surroundings: .init(
          isTerminal: terminal, columns: { self.columns }, now: { self.time }, write: { self.output.append($0) }))
    }
  }

  @Test(
    arguments: [
      (0, "0 s"), (0.4, "0 s"), (8, "8 s"), (59.4, "59 s"), (59.6, "1 m 00 s"), (125, "2 m 05 s"),
      (3599.6, "1 h 00 m"), (3600, "1 h 00 m"), (3780, "1 h 03 m"), (86399, "1 d 00 h"), (273_600, "3 d 04 h"),
      (-1, "?"), (.nan, "?"), (.infinity, "?"),
    ] as [(Double, String)])
  func durationsReadAsPeopleSayThem(seconds: Double, expected: String) {
    #expect(durationText(seconds) == expected)
  }

  @Test func plainLinesComeAtMostEveryInterval() {
    let scene = Scene()
    let line = scene.line(terminal: false)
    for second in 1...35 {
      scene.time += 1
      line.update(UInt64(second * 4), [("bound", -412.3456), ("count", 0.5)])
    }
    #expect(
      scene.output == [
        "train  40/1000 steps  4 %  4.00 steps/s  4 m 00 s left  bound=-412.3  count=0.5\n",
        "train  80/1000 steps  8 %  4.00 steps/s  3 m 50 s left  bound=-412.3  count=0.5\n",
        "train  120/1000 steps  12 %  4.00 steps/s  3 m 40 s left  bound=-412.3  count=0.5\n",
      ])
    // Ten steps in no time; then 850 in 65 s, on top of (84 + 10) steps in 21 s that fade by exp(-65/30).
    line.update(150, [], now: true)
    #expect(scene.output.last?.hasPrefix("train  150/1000 steps  15 %") == true)
    line.note("checkpoint written")
    scene.time = 200
    line.update(1000, [("bound", -1)])
    line.finish()
    line.finish()
    #expect(
      scene.output.suffix(3) == [
        "checkpoint written\n", "train  1000/1000 steps  100 %  12.8 steps/s  bound=-1\n",
        "train  1000/1000 steps  in 1 m 40 s  10.0 steps/s  bound=-1\n",
      ])
  }

  @Test func liveLinesComeAtMostTenTimesASecond() {
    let scene = Scene()
    let line = scene.line(terminal: true)
    for step in 1...1000 {
      scene.time += 0.001
      line.update(UInt64(step))
    }
    #expect((10...11).contains(scene.output.count))
    #expect(scene.output.allSatisfy { $0.hasPrefix("\rtrain") && $0.hasSuffix("\u{1B}[K") && !$0.contains("\n") })
  }

  /// Columns of the window and what fits into them, at 250 of 1000 steps after 100 s.
  @Test(arguments: [
    (
      120,
      "train  250/1000 steps [======>                 ]  25 %  2.50 steps/s  5 m 00 s left  bound=-1.5  count=0.91"
    ),
    (91, "train  250/1000 steps  25 %  2.50 steps/s  5 m 00 s left  bound=-1.5  count=0.91"),
    (92, "train  250/1000 steps [==>     ]  25 %  2.50 steps/s  5 m 00 s left  bound=-1.5  count=0.91"),
    (80, "train  250/1000 steps  25 %  2.50 steps/s  5 m 00 s left  bound=-1.5"),
    (60, "train  250/1000 steps  25 %  2.50 steps/s  5 m 00 s left"),
    (20, "train  250/1000 ste"),
    (1, "t"),
  ])
  func liveLinesFitTheWindow(columns: Int, expected: String) {
    let scene = Scene()
    let line = scene.line(terminal: true)
    scene.columns = columns
    scene.time += 100
    line.update(250, [("bound", -1.5), ("count", 0.91)])
    #expect(scene.output == ["\r\(expected)\u{1B}[K"])
    #expect(expected.count < max(2, columns))
  }

  @Test func notesStandAboveTheLiveLine() {
    let scene = Scene()
    let line = scene.line(terminal: true, total: nil)
    line.note("before")
    scene.time += 2
    line.update(3)
    line.note("after")
    line.finish()
    let drawn = "\rtrain  3 steps  1.50 steps/s\u{1B}[K"
    #expect(
      scene.output == [
        "before\n", drawn, "\r\u{1B}[Kafter\n", drawn, "\r\u{1B}[Ktrain  3 steps  in 2 s  1.50 steps/s\n",
      ])
  }

  @Test func theLastLineIsComplete() {
    let scene = Scene()
    let line = scene.line(terminal: true)
    scene.columns = 20
    scene.time += 100
    line.update(250, [("bound", -1.5)])
    line.finish()
    #expect(scene.output.last == "\r\u{1B}[Ktrain  250/1000 steps  in 1 m 40 s  2.50 steps/s  bound=-1.5\n")
  }

  @Test func workOfAnEarlierRunDoesNotCountForTheRate() {
    let scene = Scene()
    let line = scene.line(terminal: false, startingAt: 900)
    scene.time += 10
    line.update(905)
    line.finish()
    #expect(
      scene.output == [
        "train  905/1000 steps  90 %  30 steps/min  3 m 10 s left\n", "train  905/1000 steps  in 10 s  30 steps/min\n",
      ])
  }

  @Test func theRateFollowsAChangeAndDoesNotJump() {
    var fine = SmoothedRate(), coarse = SmoothedRate()
    #expect(fine.value == nil)
    for _ in 0..<600 { fine.add(units: 1, seconds: 0.1) }
    for _ in 0..<12 { coarse.add(units: 50, seconds: 5) }
    #expect(abs(fine.value! - 10) < 1e-9 && abs(coarse.value! - 10) < 1e-9)
    fine.add(units: 1, seconds: 1)
    #expect(fine.value! > 9.5 && fine.value! < 9.9)
    for _ in 0..<120 { fine.add(units: 1, seconds: 1) }
    // 26 s of the old pace, faded by exp(-121/30), are left among 30 s of the new one.
    #expect(abs(fine.value! - 1.136) < 0.002)
  }

  @Test func openFilesGetPlainLines() throws {
    let pipe = Pipe()
    let line = ProgressLine(
      label: "make", total: 2, unit: "sequences", descriptor: pipe.fileHandleForWriting.fileDescriptor)
    line.update(2, now: true)
    line.finish()
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(text.hasPrefix("make  2/2 sequences  100 %") && !text.contains("\r") && text.hasSuffix("/s\n"))
  }

  /// A real terminal of 50 columns, whose other end the test reads.
  @Test func terminalsAreAskedForTheirWidth() throws {
    var (near, far): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 24, ws_col: 50, ws_xpixel: 0, ws_ypixel: 0)
    let opened = openpty(&near, &far, nil, nil, &size)
    try #require(opened == 0)
    defer {
      close(near)
      close(far)
    }

    let line = ProgressLine(label: "make", total: 100, unit: "sequences", descriptor: far, isTerminal: true)
    line.update(50, [("megabytes", 12.5), ("digits", 31)], now: true)
    var bytes = [UInt8](repeating: 0, count: 1000)
    let count = read(near, &bytes, bytes.count)
    let drawn = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    #expect(drawn.hasPrefix("\rmake  50/100 sequences  50 %") && drawn.hasSuffix("\u{1B}[K"))
    #expect(drawn.count - 4 <= 49 && !drawn.contains("digits"))
  }
}
