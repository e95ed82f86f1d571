import Numerics
import Testing

/// A tape in memory that it was given.
@Suite struct TapeMemoryTests {
  /// Runs an operation of every type forward and backward.
  private static func record(on tape: Tape) {
    tape.reset()
    var inputs = ExampleInputs(tape: tape, seed: 1)
    for type in operationTypes { _ = type.example(on: tape, &inputs) }
    tape.prepareBackward()
    tape.backward()
  }

  /// What a recording needs is known after it, also if it was far more than there was room for.
  @Test(arguments: [0, 4096, 1 << 20])
  func theNextRecordingFindsRoom(bytes: Int) {
    let memory = TapeMemory()
    let tape = Tape(memory: memory)
    let first = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4096)
    memory.use(first)
    tape.returnMemory()
    Self.record(on: tape)
    let needed = tape.neededBytes
    let second = UnsafeMutableRawBufferPointer.allocate(byteCount: needed, alignment: 4096)
    memory.use(second)
    tape.returnMemory()
    for _ in 0..<2 {
      Self.record(on: tape)
      #expect(tape.isInGivenMemory)
      #expect(tape.neededBytes == needed)
    }
    memory.use(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    tape.returnMemory()
    first.deallocate()
    second.deallocate()
  }

  /// Weights that a tape packs for itself are not read by others, and are not packed any more when `PackedWeights` has
  /// them.
  @Test func packedWeightsTakeNoRoom() {
    let store = ParameterStore()
    store.declare("weight", [400, 400], .glorotUniform(inputs: 400, outputs: 400))
    store.allocate()
    store.initialize(seed: 1)
    let tape = Tape()
    let x = tape.zeros(rows: 1, columns: 400)
    _ = tape.affine(x * store["weight"])
    #expect(tape.neededBytes < 400 * 400)
  }
}
