/// A time span as people say it: "8 s", "2 m 05 s", "1 h 03 m", "3 d 04 h".
///
/// Rounded to seconds below an hour, to minutes below a day, to hours above. A span that is
/// negative, not finite or above a thousand years is "?".
public func durationText(_ seconds: Double) -> String {
  guard seconds >= 0, seconds < 3.2e10 else { return "?" }
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) m \(two(whole % 60)) s" }
  let minutes = Int((seconds / 60).rounded())
  if minutes < 24 * 60 { return "\(minutes / 60) h \(two(minutes % 60)) m" }
  let hours = Int((seconds / 3600).rounded())
  return "\(hours / 24) d \(two(hours % 24)) h"
}
