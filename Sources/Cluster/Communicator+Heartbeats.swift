internal import CMPI

extension Communicator {
  /// Whether ranks can send heartbeats: only where any thread may call MPI.
  var hasHeartbeats: Bool { size > 1 && threadLevel == .multiple }

  /// Prepares heartbeats beside all other messages. Every rank calls this, and waits for its neighbours.
  ///
  /// - Returns: the first of the previous rank in the ring; nil if there are no heartbeats.
  package func openHeartbeats(_ heartbeat: Heartbeat) throws -> Heartbeat? {
    guard hasHeartbeats else { return nil }
    var received = [UInt8](repeating: 0, count: Int(CMPI_HEARTBEAT_BYTES))
    try perform("preparing the heartbeats of \(size) ranks") {
      try transport.openHeartbeats(heartbeat.bytes, into: &received)
    }
    return Heartbeat(bytes: received)
  }

  /// Sends a heartbeat to the next rank of the ring and receives from the previous one; never waits.
  ///
  /// - Parameter heartbeat: what to send; nil only receives.
  /// - Returns: the latest that came since the last call, if any; and whether this rank's own was sent. It is not while
  ///   an earlier one could not be delivered.
  package func exchangeHeartbeats(_ heartbeat: Heartbeat?) -> (received: Heartbeat?, isSent: Bool) {
    var received = [UInt8](repeating: 0, count: Int(CMPI_HEARTBEAT_BYTES))
    let (isSent, isReceived) = transport.exchangeHeartbeats(heartbeat?.bytes, into: &received)
    return (isReceived ? Heartbeat(bytes: received) : nil, isSent)
  }
}
