internal import CMPI
import Foundation

extension Communicator {
  /// Whether ranks can tell each other that they live: only where any thread may call MPI.
  var hasHeartbeats: Bool { size > 1 && threadLevel == .multiple }

  /// Makes room for heartbeats beside all other messages. Every rank calls this, and waits for its neighbours.
  ///
  /// - Parameter heartbeat: who this rank is.
  /// - Returns: who is before it in the ring; nil if there are no heartbeats.
  func openHeartbeats(_ heartbeat: Heartbeat) throws -> Heartbeat? {
    guard hasHeartbeats else { return nil }
    var received = [UInt8](repeating: 0, count: Int(CMPI_HEARTBEAT_BYTES))
    try check(cmpi_open_heartbeats(heartbeat.bytes, &received)) { "preparing the heartbeats of \(size) ranks" }
    return Heartbeat(bytes: received)
  }

  /// Tells the next rank of the ring that this one lives, and hears the one before it; never waits.
  ///
  /// - Parameter heartbeat: what to send; nil only listens.
  /// - Returns: the newest that came since the last call, if any; and whether the own one is on its way. It is not
  ///   while an earlier one could not be delivered.
  func exchangeHeartbeats(_ heartbeat: Heartbeat?) -> (heard: Heartbeat?, isSent: Bool) {
    var received = [UInt8](repeating: 0, count: Int(CMPI_HEARTBEAT_BYTES))
    var isSent = false, hasCome = false
    _ = cmpi_exchange_heartbeats(heartbeat?.bytes, &received, &isSent, &hasCome)
    return (hasCome ? Heartbeat(bytes: received) : nil, isSent)
  }
}

extension Heartbeat {
  /// As it travels: JSON, filled up with zeros.
  fileprivate var bytes: [UInt8] {
    var short = self
    short.host = String(host.prefix(64))
    let text = (try? JSONEncoder().encode(short)) ?? Data()
    let rest = Int(CMPI_HEARTBEAT_BYTES) - text.count
    return Array(text) + [UInt8](repeating: 0, count: max(0, rest))
  }

  fileprivate init?(bytes: [UInt8]) {
    guard let read = try? JSONDecoder().decode(Heartbeat.self, from: Data(bytes.prefix { $0 != 0 })) else { return nil }
    self = read
  }
}
