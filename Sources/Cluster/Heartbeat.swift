internal import CMPI
import Foundation

/// What a rank tells the next one of the ring at short intervals.
package struct Heartbeat: Codable, Sendable, Equatable {
  package var rank: Int
  package var host: String
  package var processIdentifier: Int32
  /// The step it works on, from 1; 0 before the first.
  package var step: Int
  package var phase: Phase
  /// How many consecutive ranks, up to this one, have waited for others for longer than the limit.
  package var waitingRanks: Int
  /// No further heartbeat will follow.
  package var isLast = false

  package init(
    rank: Int, host: String, processIdentifier: Int32, step: Int = 0, phase: Phase = .start, waitingRanks: Int = 0
  ) {
    self.rank = rank
    self.host = host
    self.processIdentifier = processIdentifier
    self.step = step
    self.phase = phase
    self.waitingRanks = waitingRanks
  }

  /// Wire format: zero-padded JSON.
  var bytes: [UInt8] {
    var short = self
    short.host = String(host.prefix(64))
    let text = (try? JSONEncoder().encode(short)) ?? Data()
    let rest = Int(CMPI_HEARTBEAT_BYTES) - text.count
    return Array(text) + [UInt8](repeating: 0, count: max(0, rest))
  }

  init?(bytes: [UInt8]) {
    guard let read = try? JSONDecoder().decode(Heartbeat.self, from: Data(bytes.prefix { $0 != 0 })) else { return nil }
    self = read
  }
}
