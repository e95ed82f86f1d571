internal import CMPI
import Foundation

extension Communicator {
  /// Whether ranks can tell each other that they live: only where any thread may call MPI.
  var hasHeartbeats: Bool { size > 1 && threadLevel == .multiple }

  /// Makes room for heartbeats beside all other messages. Every rank calls this.
  func openHeartbeats() throws {
    guard hasHeartbeats else { return }
    try check(cmpi_open_heartbeats()) { "preparing the heartbeats of \(size) ranks" }
  }

  /// Tells the next rank of the ring that this one lives, and hears the one before it; never waits.
  ///
  /// - Parameter heartbeat: what to send; nil only listens.
  /// - Returns: the newest that came since the last call, if any; and whether the own one is on its way. It is not
  ///   while an earlier one could not be delivered.
  func exchangeHeartbeats(_ heartbeat: Heartbeat?) -> (heard: Heartbeat?, isSent: Bool) {
    var bytes = [UInt8](repeating: 0, count: Int(CMPI_HEARTBEAT_BYTES))
    if var heartbeat {
      heartbeat.host = String(heartbeat.host.prefix(64))
      let text = (try? JSONEncoder().encode(heartbeat)) ?? Data()
      for (place, byte) in text.prefix(bytes.count - 1).enumerated() { bytes[place] = byte }
    }
    var received = [UInt8](repeating: 0, count: bytes.count)
    var isSent = false, hasCome = false
    _ = cmpi_exchange_heartbeats(heartbeat == nil ? nil : bytes, &received, &isSent, &hasCome)
    guard hasCome else { return (nil, isSent) }
    return (try? JSONDecoder().decode(Heartbeat.self, from: Data(received.prefix { $0 != 0 })), isSent)
  }
}
