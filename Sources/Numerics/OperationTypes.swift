/// Every operation of this module, for the generated gradient checks and for tables of time per operation.
package var operationTypes: [any ExampledOperation.Type] {
  [
    Accumulate.self, Affine.self, BernoulliLogMass.self, CategoricalLogMass.self, GatedRecurrentUnit.self,
    GradientLimit.self, Multiply.self, NormalLogDensity.self, NormalSample.self, Patches.self, PerMicrobatch.self,
    Place.self, PlacedPatches.self, ScaleByScalar.self, ScaledSum.self, SelectRows.self, SoftplusScale.self,
    StandardNormalLogDensity.self, SumLogMass.self, SumRows.self,
  ]
}
