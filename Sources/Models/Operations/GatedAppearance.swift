import CKernels
import Numerics

/// What an object looks like after propagation (4.2, step 9): memory, new glimpse and temporal guess, mixed by three
/// gates.
package struct GatedAppearance: ExampledOperation {
  let gates: Tensor
  let gain: Float
  let what: Tensor
  let glimpse: Tensor
  let temporal: Tensor
  let location: Tensor
  let scale: Tensor

  package func backward(_ products: MatrixProduct) {
    kernel_gated_appearance_backward(
      gates.values, gates.gradients!, Int64(gates.stride), gain, what.values, what.gradients!, Int64(what.stride),
      glimpse.values, glimpse.gradients!, Int64(glimpse.stride), temporal.values, temporal.gradients!,
      Int64(temporal.stride), location.gradients!, scale.gradients!, Int64(location.stride), Int64(location.rows),
      Int64(location.columns))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let gates = inputs.tensor(3, 6, in: 0...1)
    let mixed = tape.gatedAppearance(
      gates: gates, gain: 0.9, what: inputs.tensor(3, 2), glimpse: inputs.tensor(3, 4), temporal: inputs.tensor(3, 4))
    return [mixed.location, mixed.scale]
  }
}

extension Tape {
  /// location = f what + (1 - i) e_location + (1 - g) t_location, and scale likewise without `what`.
  ///
  /// - Parameters:
  ///   - gates: [rows, 3d], sigmoids f, i, g; each is multiplied by `gain`.
  ///   - what: [rows, d], the appearance at the frame before.
  ///   - glimpse: [rows, 2d], location and scale seen.
  ///   - temporal: [rows, 2d], location and scale guessed from the temporal state.
  public func gatedAppearance(
    gates: Tensor, gain: Float, what: Tensor, glimpse: Tensor, temporal: Tensor,
    locationInto locationDestination: Tensor? = nil, scaleInto scaleDestination: Tensor? = nil
  ) -> (location: Tensor, scale: Tensor) {
    let d = what.columns
    precondition(
      gates.columns == 3 * d && glimpse.columns == 2 * d && temporal.columns == 2 * d,
      "gatedAppearance: shapes do not follow what's \(d) elements")
    let location = locationDestination ?? tensor(rows: what.rows, columns: d)
    let scale = scaleDestination ?? tensor(rows: what.rows, columns: d)
    precondition(location.stride == scale.stride, "gatedAppearance: destinations of different strides")
    kernel_gated_appearance(
      gates.values, Int64(gates.stride), gain, what.values, Int64(what.stride), glimpse.values,
      Int64(glimpse.stride), temporal.values, Int64(temporal.stride), location.values, scale.values,
      Int64(location.stride), Int64(what.rows), Int64(d))
    record(
      GatedAppearance(
        gates: gates, gain: gain, what: what, glimpse: glimpse, temporal: temporal, location: location, scale: scale))
    return (location, scale)
  }
}
