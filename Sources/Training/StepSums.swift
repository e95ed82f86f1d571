/// Metrics of an update, as sums over examples.
///
/// Bound, reconstruction and KL estimate are in nats per frame; counts of objects are per frame; all
/// are weighted by importance over particles.
package struct StepSums {
  package enum Field: Int, CaseIterable {
    case examples, bound, reconstruction, klEstimate, objects, propagated, discovered
    /// Examples that were explained by objects: all, or none if the model has none.
    case explainedByObjects
    /// Frames whose true count is known, and those of them counted right.
    case counted, countedRight, trueObjects
    /// 1 / sum of squared importance weights.
    case effectiveParticles
    /// Examples whose loss is not finite.
    case nonFinite
    /// Objects that were propagated from frame to frame while gradients were limited, and of how many of them the
    /// gradient of each part was shortened.
    case propagatedUnderLimit, limitedWhat, limitedWhere, limitedTemporal, limitedPrior
    case limitedPriorOutput, limitedPlaceOutput, limitedTemporalInput
  }

  package private(set) var values = [Double](repeating: 0, count: Field.allCases.count)

  package subscript(_ field: Field) -> Double {
    get { values[field.rawValue] }
    set { values[field.rawValue] = newValue }
  }

  package init() {}

  /// Adds to the field of this number.
  mutating func add(_ value: Double, toField field: Int) { values[field] += value }

  package mutating func clear() {
    for index in values.indices { values[index] = 0 }
  }

  /// Mean over examples.
  package func mean(_ field: Field) -> Double { self[field] / self[.examples] }

  /// Objects per frame that the model found; nil if it has none.
  package var objects: Double? {
    self[.explainedByObjects] > 0 ? self[.objects] / self[.explainedByObjects] : nil
  }

  /// For each part of the state, which a gradient reaches from the next frame, and each output, the fraction of objects
  /// whose gradient was shortened; empty if gradients were not limited.
  package var limitedFractions: [(part: String, fraction: Double)] {
    guard self[.propagatedUnderLimit] > 0 else { return [] }
    let fields: [(part: String, field: Field)] = [
      ("what", .limitedWhat), ("where", .limitedWhere), ("temporal", .limitedTemporal), ("prior", .limitedPrior),
      ("prior_output", .limitedPriorOutput), ("place_output", .limitedPlaceOutput),
      ("temporal_input", .limitedTemporalInput),
    ]
    return fields.map { (part: $0.part, fraction: self[$0.field] / self[.propagatedUnderLimit]) }
  }

  /// Fraction of frames with the right count; nil if no true count is known.
  package var countAccuracy: Double? { self[.counted] > 0 ? self[.countedRight] / self[.counted] : nil }
}
