import Numerics
import Testing

/// Weights that stay packed while parameters change, beside weights that are packed anew.
@Suite struct PackedWeightsTests {
  /// Weights of shapes that do and do not fill panels and groups of rows; two lie side by side.
  private static func store() -> ParameterStore {
    let store = ParameterStore()
    store.declare("small", [3, 5], .glorotUniform(inputs: 3, outputs: 5))
    store.declare("wide", [70, 130], .glorotUniform(inputs: 70, outputs: 130))
    store.declare("bias", [7], .constant(1))
    store.declare(
      sideBySide: ["left", "right"].map { ($0, .glorotUniform(inputs: 100, outputs: 33)) }, shape: [100, 33])
    store.allocate()
    store.initialize(seed: 1)
    return store
  }

  private static let precisions = Precision.allCases.filter(\.isSupported)

  /// Products with all weights, forward and backward.
  private static func run(_ store: ParameterStore, _ precision: Precision, _ packed: PackedWeights?) -> [Float] {
    let tape = Tape(precision: precision)
    tape.packedWeights = packed
    var example = ExampleInputs(tape: tape, seed: 2)
    var results: [Float] = []
    for weight in [store["small"], store["wide"], store.sideBySide(["left", "right"]), store["right"]] {
      let x = example.tensor(9, weight.rows)
      let y = tape.affine(x * weight)
      tape.prepareBackward()
      y.gradients!.update(from: y.values, count: y.rows * y.columns)
      tape.backward()
      results += y.array + (0..<9 * weight.rows).map { x.gradients![$0] }
    }
    return results
  }

  /// Parameters change block by block, by owners of slices whose ends lie within weights.
  @Test(arguments: [1000, 4096, 1 << 20], [[0, 1], [0, 5000, 5001, 12_000, 1 << 20]])
  func productsAreThoseOfFreshlyPackedWeights(blockSize: Int, ends: [Int]) {
    for precision in Self.precisions { expectFreshlyPackedProducts(precision, blockSize: blockSize, ends: ends) }
  }

  private func expectFreshlyPackedProducts(_ precision: Precision, blockSize: Int, ends: [Int]) {
    let store = Self.store()
    let memory = OwnMemory()
    let packed = PackedWeights(
      of: store.values, precision, in: memory.vector(PackedWeights.room(forParameters: store.count)))
    #expect(Self.run(store, precision, packed) == Self.run(store, precision, nil))
    let missing = Set(packed.missing).count
    #expect(missing == 8)
    packed.keep(packed.missing)
    let slices = ends.indices.map { index in
      min(ends[index], store.count)..<(index + 1 < ends.count ? min(ends[index + 1], store.count) : store.count)
    }
    for _ in 0..<2 {
      for slice in slices {
        for start in stride(from: slice.lowerBound, to: slice.upperBound, by: blockSize) {
          let block = start..<min(start + blockSize, slice.upperBound)
          for index in block { store.values[index] = store.values[index] * 1.5 + 0.25 }
          packed.pack(endingIn: block, beginningIn: slice)
        }
      }
      for slice in slices { packed.pack(endingIn: slice, beginningIn: 0..<slice.lowerBound) }
      #expect(Self.run(store, precision, packed) == Self.run(store, precision, nil))
      #expect(packed.missing.isEmpty)
    }
  }

  @Test func weightsWithoutRoomArePackedForEachRecording() {
    let store = Self.store()
    let memory = OwnMemory()
    let packed = PackedWeights(of: store.values, .float32, in: memory.vector(1000))
    _ = Self.run(store, .float32, packed)
    packed.keep(packed.missing)
    packed.pack(endingIn: 0..<store.count, beginningIn: 0..<store.count)
    #expect(Self.run(store, .float32, packed) == Self.run(store, .float32, nil))
    #expect(packed.missing.isEmpty)
  }
}
