import Numerics

/// Weights [in, out] and bias [1, out] of a dense layer.
struct Dense: BitwiseCopyable {
  let weight: Tensor
  let bias: Tensor

  init(_ name: String, in store: ParameterStore) {
    weight = store[name + ".w"]
    bias = store[name + ".b"]
  }

  private init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  /// The part of the layer that makes some of its outputs.
  func outputs(_ range: Range<Int>) -> Dense {
    Dense(weight: weight.slice(columns: range), bias: bias.slice(columns: range))
  }
}

/// Two hidden layers with ELU: MLP(n, n) of section 2.
struct TwoLayers: BitwiseCopyable {
  let first: Dense
  let second: Dense

  init(_ name: String, in store: ParameterStore) {
    first = Dense(name + ".l0", in: store)
    second = Dense(name + ".l1", in: store)
  }
}

/// A vanilla recurrent cell: two dense layers whose sum passes through tanh.
struct RecurrentCell: BitwiseCopyable {
  let input: Dense
  let state: Dense
  let initialState: Tensor

  init(_ name: String, in store: ParameterStore) {
    input = Dense(name + ".ih", in: store)
    state = Dense(name + ".hh", in: store)
    initialState = store[name + ".h0"]
  }
}

extension GatedRecurrentUnitWeights {
  init(_ name: String, in store: ParameterStore) {
    func gates(_ letter: String) -> Tensor { store.sideBySide(["z", "r", "h"].map { name + "." + letter + $0 }) }
    self.init(input: gates("w"), state: gates("u"), bias: gates("b"))
  }
}

extension Tape {
  func dense(
    _ x: Tensor, _ layer: Dense, _ activation: Activation = .identity, into destination: Tensor? = nil
  ) -> Tensor {
    affine(x * layer.weight, bias: layer.bias, activation: activation, into: destination)
  }

  /// A dense layer with ELU whose result nothing reads but one product.
  func hidden(_ x: Tensor, _ layer: Dense) -> Tensor {
    affine(x * layer.weight, bias: layer.bias, activation: .elu, feedsOneProduct: true)
  }

  func twoLayers(_ x: Tensor, _ layers: TwoLayers) -> Tensor {
    dense(hidden(x, layers.first), layers.second, .elu)
  }

  /// Two layers whose result nothing reads but one product.
  func hidden(_ x: Tensor, _ layers: TwoLayers) -> Tensor {
    hidden(hidden(x, layers.first), layers.second)
  }
}
