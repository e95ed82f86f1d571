import Numerics

/// Declares the layers of section 2 with their initialisers.
struct LayerDeclarations {
  let store: ParameterStore

  func weights(_ name: String, _ inputs: Int, _ outputs: Int) {
    store.declare(name + ".w", [inputs, outputs], .truncatedNormal(inputs: inputs))
  }

  func dense(_ name: String, _ inputs: Int, _ outputs: Int, bias: Float = 0) {
    weights(name, inputs, outputs)
    store.declare(name + ".b", [outputs], .constant(bias))
  }

  func recurrent(_ name: String, _ inputs: Int, _ size: Int) {
    dense(name + ".ih", inputs, size)
    dense(name + ".hh", size, size)
    store.declare(name + ".h0", [size], .constant(0))
  }

  /// The three gates are side by side, so that one product serves them.
  func gatedRecurrentUnit(_ name: String, _ inputs: Int, _ size: Int) {
    func gates(_ letter: String, _ shape: [Int], _ start: Initializer) {
      store.declare(
        sideBySide: ["z", "r", "h"].map { (name: name + "." + letter + $0, initializer: start) }, shape: shape)
    }
    gates("w", [inputs, size], .glorotUniform(inputs: inputs, outputs: size))
    gates("u", [size, size], .glorotUniform(inputs: size, outputs: size))
    gates("b", [size], .glorotUniform(inputs: size, outputs: size))
    store.declare(name + ".h0", [size], .constant(0))
  }
}
