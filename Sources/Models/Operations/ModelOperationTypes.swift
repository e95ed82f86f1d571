import Numerics

/// Every operation that only the models need, for the generated gradient checks.
package var modelOperationTypes: [any ExampledOperation.Type] {
  [
    CorrelatedNormalSample.self, CountLogMass.self, Crop.self, ExpectedPropagation.self, GatedAppearance.self,
    ImageLogDensity.self, LineFit.self, Paint.self, RunningMean.self,
  ]
}
