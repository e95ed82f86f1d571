extension ResourceLimits {
  /// How many ranks this host should run: one a core, if there are memory and threads for them.
  ///
  /// - Parameter bytesPerRank: the least memory of a rank.
  public func recommendedRanks(bytesPerRank: Int) -> Int {
    let byMemory = freeMemory.map { $0.value / bytesPerRank } ?? .max
    let byThreads = threads.map { $0.value / (WorkerThread.neededCount + 2) } ?? .max
    return max(1, min(usableCores, byMemory, byThreads))
  }
}
