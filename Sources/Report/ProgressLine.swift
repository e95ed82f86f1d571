import Foundation

/// The progress of a long job: one live line on a terminal, a plain line at intervals in a log file.
///
///     train  1234/10000 steps [==>                 ]  12 %  3.41 steps/s  42 m 51 s left  bound=-412.3
///
/// On a terminal the line is drawn again in place, at most ten times a second, and never wider than
/// the window: when room is short the bar is left out first, then metrics from the right. The last line is complete
/// and stays. Anywhere else (a file, a pipe, `TERM=dumb`) whole lines are written, at most one every `interval`
/// seconds.
///
/// Used for making data, training and evaluation, by one thread of one process.
public final class ProgressLine {
  /// The output and the clock; tests replace them.
  package struct Surroundings {
    /// Whether the line can be drawn again in place.
    package var isTerminal: Bool
    /// Columns of the window, asked for at each drawing, because windows change.
    package var columns: () -> Int
    /// Seconds on a clock that never goes back.
    package var now: () -> Double
    /// Puts text out at once.
    package var write: (String) -> Void

    package init(
      isTerminal: Bool, columns: @escaping () -> Int, now: @escaping () -> Double,
      write: @escaping (String) -> Void
    ) {
      (self.isTerminal, self.columns, self.now, self.write) = (isTerminal, columns, now, write)
    }
  }

  /// Live lines are at least this many seconds apart: faster is only flicker.
  private static let redrawInterval = 0.1

  private let label: String
  private let unit: String
  private let total: UInt64?
  private let interval: Double
  private let surroundings: Surroundings
  private let begin: Double
  private let first: UInt64
  private var done: UInt64
  private var metrics: [(name: String, value: Double)] = []
  private var rate = SmoothedRate()
  private var lastUpdate: Double
  private var lastShown: Double
  private var isDrawn = false
  private var isFinished = false

  /// A line that shows nothing until the first `update`.
  ///
  /// - Parameters:
  ///   - label: what is being done, such as "train".
  ///   - total: units when all is done; nil if unknown.
  ///   - unit: what is counted, in the plural: "steps", "sequences".
  ///   - done: units done before, by an earlier run; they do not count for the rate.
  ///   - interval: seconds between plain lines.
  ///   - descriptor: open file to write to, standard error by default.
  ///   - isTerminal: nil asks the system.
  public convenience init(
    label: String, total: UInt64?, unit: String, startingAt done: UInt64 = 0, interval: Double = 10,
    descriptor: Int32 = STDERR_FILENO, isTerminal: Bool? = nil
  ) {
    let isDumb = ProcessInfo.processInfo.environment["TERM"].map { $0.isEmpty || $0 == "dumb" } ?? true
    let surroundings = Surroundings(
      isTerminal: isTerminal ?? (isatty(descriptor) == 1 && !isDumb),
      columns: { Self.columns(of: descriptor) },
      now: { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 },
      // A progress line that cannot be written is no reason to end the job.
      write: { text in _ = writeAll(Array(text.utf8), to: descriptor) })
    self.init(
      label: label, total: total, unit: unit, startingAt: done, interval: interval, surroundings: surroundings)
  }

  package init(
    label: String, total: UInt64?, unit: String, startingAt done: UInt64 = 0, interval: Double = 10,
    surroundings: Surroundings
  ) {
    (self.label, self.total, self.unit, self.interval) = (label, total, unit, interval)
    self.surroundings = surroundings
    (self.done, first) = (done, done)
    begin = surroundings.now()
    lastUpdate = begin
    lastShown = surroundings.isTerminal ? begin - Self.redrawInterval : begin
  }

  private static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Updates the number of finished units and the metrics; shows them if it is time to.
  ///
  /// - Parameter now: true shows it at once, whenever the last line was.
  public func update(_ done: UInt64, _ metrics: [(name: String, value: Double)] = [], now: Bool = false) {
    let time = surroundings.now()
    if done > self.done { rate.add(units: Double(done - self.done), seconds: time - lastUpdate) }
    if done != self.done { lastUpdate = time }
    self.done = done
    self.metrics = metrics
    let wait = surroundings.isTerminal ? Self.redrawInterval : interval
    // A clock reading is not exact to the last bit; a millisecond early is on time.
    if now || time - lastShown >= wait - 1e-3 { show(at: time) }
  }

  /// Writes a permanent line of text, above the live line if there is one.
  public func note(_ text: String) {
    guard surroundings.isTerminal, isDrawn else { return surroundings.write(text + "\n") }
    surroundings.write("\r\u{1B}[K\(text)\n")
    show(at: surroundings.now())
  }

  /// Shows the last metrics and the duration. Later calls do nothing.
  public func finish() {
    guard !isFinished else { return }
    isFinished = true
    let seconds = surroundings.now() - begin
    var pieces = [label, count, "in \(durationText(seconds))"]
    if done > first, seconds > 0 { pieces.append(rateText(Double(done - first) / seconds)) }
    // This line stays, so it is not cut where it is wider than the window.
    let line = (pieces + metricTexts).joined(separator: "  ")
    surroundings.write((surroundings.isTerminal ? "\r\u{1B}[K" : "") + line + "\n")
  }

  // MARK: Drawing

  private func show(at time: Double) {
    lastShown = time
    isDrawn = true
    if surroundings.isTerminal {
      surroundings.write("\r\(liveLine(columns: surroundings.columns()))\u{1B}[K")
    } else {
      surroundings.write((pieces(bar: nil) + metricTexts).joined(separator: "  ") + "\n")
    }
  }

  /// The line cut to less than `columns`: a full last column would make some terminals wrap.
  private func liveLine(columns: Int) -> String {
    let room = max(1, columns - 1)
    let plain = pieces(bar: nil)
    var line = plain.joined(separator: "  ")
    if total != nil {
      let all = (plain + metricTexts).joined(separator: "  ")
      let bar = min(24, room - all.count - 3)
      if bar >= 8 { line = pieces(bar: bar).joined(separator: "  ") }
    }
    for metric in metricTexts {
      guard line.count + 2 + metric.count <= room else { break }
      line += "  " + metric
    }
    return String(line.prefix(room))
  }

  /// Label, count, bar (with that many marks), share, rate and time left.
  private func pieces(bar: Int?) -> [String] {
    var pieces = [label, count]
    if let total {
      let share = total == 0 ? 1 : min(1, Double(done) / Double(total))
      if let bar { pieces[1] += " " + Self.bar(share, width: bar) }
      pieces.append("\(Int(share * 100)) %")
    }
    if let rate = rate.value {
      pieces.append(rateText(rate))
      if let total, done < total { pieces.append("\(durationText(Double(total - done) / rate)) left") }
    }
    return pieces
  }

  private var count: String { total.map { "\(done)/\($0) \(unit)" } ?? "\(done) \(unit)" }

  private var metricTexts: [String] { metrics.map { "\($0.name)=\(String(format: "%.4g", $0.value))" } }

  private func rateText(_ rate: Double) -> String {
    if rate >= 1 { return "\(String(format: rate < 10 ? "%.2f" : rate < 100 ? "%.1f" : "%.0f", rate)) \(unit)/s" }
    return "\(String(format: "%.3g", rate * 60)) \(unit)/min"
  }

  private static func bar(_ share: Double, width: Int) -> String {
    let filled = Int(share * Double(width))
    let head = filled < width ? ">" : ""
    return "[" + String(repeating: "=", count: filled) + head
      + String(repeating: " ", count: width - filled - head.count) + "]"
  }
}
