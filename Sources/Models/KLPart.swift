import Numerics

/// A part of log q - log p, by latent variable and by the origin of the object.
public enum KLPart: Int, CaseIterable, Sendable {
  case propagatedWhat, propagatedWhere, propagatedPresence
  /// The presence of discovered objects is their count.
  case discoveredWhat, discoveredWhere, discoveredPresence
}

extension FrameInference {
  /// log q - log p of each row by part, [N, parts]; nil in a model without objects.
  ///
  /// The parts of a row add up to `klEstimate`, up to rounding. As there, appearance and position count only for
  /// present objects (section 8.1).
  package func klByPart() -> [Double]? {
    guard let details else { return nil }
    let width = KLPart.allCases.count
    var sums = [Double](repeating: 0, count: state.rowCount * width)
    func add(_ logQ: Tensor, _ logP: Tensor, _ entry: Int, _ part: KLPart, row: Int, weight: Float = 1) {
      sums[row * width + part.rawValue] += Double(weight * (logQ[entry, 0] - logP[entry, 0]))
    }
    if let propagation = details.propagation {
      let propagated = propagation.propagated
      let posterior = propagated.posterior
      for object in 0..<propagation.previous.count {
        let row = propagation.previous.rows[object]
        let presence = posterior.presence[object, 0]
        add(posterior.whatLogQ, propagated.whatLogP, object, .propagatedWhat, row: row, weight: presence)
        add(posterior.whereLogQ, propagated.whereLogP, object, .propagatedWhere, row: row, weight: presence)
        add(propagated.presenceLogQ, propagated.presenceLogP, object, .propagatedPresence, row: row)
      }
    }
    let discovered = details.discovered
    let posterior = discovered.posterior
    for draw in 0..<discovered.rows.count where posterior.presence[draw, 0] > 0 {
      add(posterior.whatLogQ, discovered.whatLogP, draw, .discoveredWhat, row: discovered.rows[draw])
    }
    let wherePrior = discovered.wherePrior
    for present in 0..<wherePrior.draws.count {
      let index = wherePrior.rows[present] * width + KLPart.discoveredWhere.rawValue
      sums[index] += Double(posterior.whereLogQ[wherePrior.draws[present], 0] - wherePrior.logP[present, 0])
    }
    for row in 0..<state.rowCount {
      add(discovered.countLogQ, discovered.countPrior.logP, row, .discoveredPresence, row: row)
    }
    return sums
  }
}
