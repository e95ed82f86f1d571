import Numerics

/// The posterior of some objects and the samples drawn from it, one row for each object (sections 4.2 and 5.2).
package struct ObjectPosterior: BitwiseCopyable {
  /// Hidden state of the step network, [objects, n].
  let hidden: Tensor
  /// Appearance: sample, location and scale [objects, d], and the log density of the sample [objects, 1].
  package let what: Tensor
  package let whatLocation: Tensor
  package let whatScale: Tensor
  package let whatLogQ: Tensor
  /// Place logits: sample, location and scale [objects, 4], and the log density of the sample [objects, 1].
  package let whereLogits: Tensor
  package let whereLocation: Tensor
  package let whereScale: Tensor
  package let whereLogQ: Tensor
  /// Presence: logit, probability and sample, [objects, 1].
  package let logit: Tensor
  package let probability: Tensor
  package let presence: Tensor
  /// Standard normal noise of the samples, [objects, d] and [objects, 4].
  let whatNoise: Tensor
  let whereNoise: Tensor

  /// Memory for `count` objects, undefined.
  init(count: Int, hidden: Int, what: Int, on tape: Tape) {
    self.hidden = tape.tensor(rows: count, columns: hidden)
    self.what = tape.tensor(rows: count, columns: what)
    whatLocation = tape.tensor(rows: count, columns: what)
    whatScale = tape.tensor(rows: count, columns: what)
    whatLogQ = tape.tensor(rows: count, columns: 1)
    whereLogits = tape.tensor(rows: count, columns: 4)
    whereLocation = tape.tensor(rows: count, columns: 4)
    whereScale = tape.tensor(rows: count, columns: 4)
    whereLogQ = tape.tensor(rows: count, columns: 1)
    logit = tape.tensor(rows: count, columns: 1)
    probability = tape.constant(rows: count, columns: 1)
    presence = tape.constant(rows: count, columns: 1)
    whatNoise = tape.constant(rows: count, columns: what)
    whereNoise = tape.constant(rows: count, columns: 4)
  }

  private init(_ whole: ObjectPosterior, rows range: Range<Int>) {
    hidden = whole.hidden.slice(rows: range)
    what = whole.what.slice(rows: range)
    whatLocation = whole.whatLocation.slice(rows: range)
    whatScale = whole.whatScale.slice(rows: range)
    whatLogQ = whole.whatLogQ.slice(rows: range)
    whereLogits = whole.whereLogits.slice(rows: range)
    whereLocation = whole.whereLocation.slice(rows: range)
    whereScale = whole.whereScale.slice(rows: range)
    whereLogQ = whole.whereLogQ.slice(rows: range)
    logit = whole.logit.slice(rows: range)
    probability = whole.probability.slice(rows: range)
    presence = whole.presence.slice(rows: range)
    whatNoise = whole.whatNoise.slice(rows: range)
    whereNoise = whole.whereNoise.slice(rows: range)
  }

  /// The objects in `range`, sharing memory.
  func slice(rows range: Range<Int>) -> ObjectPosterior { ObjectPosterior(self, rows: range) }
}
