import Numerics

/// log q and log p of all latent variables of a frame, row by row (section 8.1).
///
/// Appearance and place count only for objects that are present. The order of the additions is part of a run's bits:
/// continuous variables first, propagated before discovered, then discrete ones; `finish` comes last.
struct LogProbabilities: BitwiseCopyable {
  /// [N, 1].
  let logQ: Tensor
  let logP: Tensor
  /// The part of the discrete variables in log q, [N, 1].
  let discrete: Tensor

  init(rows: Int, on tape: Tape) {
    logQ = tape.zeros(rows: rows, columns: 1)
    logP = tape.zeros(rows: rows, columns: 1)
    discrete = tape.zeros(rows: rows, columns: 1)
  }

  /// Adds appearance and place of propagated objects.
  ///
  /// - Parameter rows: the row of each object of the state before.
  func addContinuous(_ propagated: Propagation.Output, rows: Index, on tape: Tape) {
    let posterior = propagated.posterior
    func add(_ logDensity: Tensor, to total: Tensor) {
      tape.accumulate(logDensity, weightedBy: posterior.presence, at: rows, into: total)
    }
    add(posterior.whatLogQ, to: logQ)
    add(posterior.whereLogQ, to: logQ)
    add(propagated.whatLogP, to: logP)
    add(propagated.whereLogP, to: logP)
  }

  /// Adds appearance and place of discovered objects.
  func addContinuous(_ discovered: Discovery.Output, on tape: Tape) {
    let posterior = discovered.posterior
    func add(_ logDensity: Tensor, to total: Tensor) {
      tape.accumulate(logDensity, weightedBy: posterior.presence, at: discovered.rows, into: total)
    }
    add(posterior.whatLogQ, to: logQ)
    add(posterior.whereLogQ, to: logQ)
    add(discovered.whatLogP, to: logP)
    tape.accumulate(discovered.wherePrior.logP, at: discovered.wherePrior.rows, into: logP)
  }

  /// Adds the presence of propagated objects.
  func addDiscrete(_ propagated: Propagation.Output, rows: Index, on tape: Tape) {
    tape.accumulate(propagated.presenceLogP, at: rows, into: logP)
    tape.accumulate(propagated.presenceLogQ, at: rows, into: discrete)
  }

  /// Adds the number of discovered objects.
  func addDiscrete(_ discovered: Discovery.Output, on tape: Tape) {
    tape.accumulate(discovered.countPrior.logP, into: logP)
    tape.accumulate(discovered.countLogQ, into: discrete)
  }

  /// Adds the discrete part to log q.
  func finish(on tape: Tape) { tape.accumulate(discrete, into: logQ) }
}
