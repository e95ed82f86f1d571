extension Communicator {
  /// For each rank whether it has a processor to itself. Where ranks outnumber the processors of their host, as many
  /// have as there are processors. Every rank calls this.
  ///
  /// All have one if it is not known on which they may run.
  package func ranksWithProcessor() throws -> [Bool] {
    let all = [Bool](repeating: true, count: size)
    guard size > 1, let hosts else { return all }
    let texts = try gather(processors?.text ?? "")
    let known = texts.compactMap(Processors.init(text:))
    let chosen = isRoot && known.count == size ? hosts.flatMap { Self.ranksWithProcessor(known[$0]) } : all
    return try broadcast(chosen.map { $0 ? 1 : 0 }).map { $0 == 1 }
  }

  /// The same for the ranks of a host: a largest matching of ranks and processors, by augmenting paths.
  package static func ranksWithProcessor(_ ranks: ArraySlice<Processors>) -> [Bool] {
    var owners: [Int: Int] = [:]
    func assign(_ rank: Int, _ seen: inout Set<Int>) -> Bool {
      let allowed = ranks[rank].numbers.sorted()
      if let free = allowed.first(where: { owners[$0] == nil }) {
        owners[free] = rank
        return true
      }
      for processor in allowed where seen.insert(processor).inserted {
        if assign(owners[processor]!, &seen) {
          owners[processor] = rank
          return true
        }
      }
      return false
    }
    // Of each control group.
    var left: [String: Int] = [:]
    for quota in ranks.compactMap(\.quota) { left[quota.group] = min(left[quota.group] ?? .max, quota.processors) }
    return ranks.indices.map { rank in
      let group = ranks[rank].quota?.group
      var seen: Set<Int> = []
      guard group.map({ left[$0]! > 0 }) ?? true, assign(rank, &seen) else { return false }
      if let group { left[group]! -= 1 }
      return true
    }
  }
}
