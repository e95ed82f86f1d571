import Numerics

/// A network from images to features [rows, n].
///
/// The published sizes of the convolutional variant are not known; ours are small: as many convolutions of 3 x 3 pixels
/// with a step of two as bring the larger side to 7 pixels or fewer, each with the same number of channels and ELU, and
/// one dense layer.
enum ImageEncoder {
  case perceptron(TwoLayers)
  case convolutional([Dense], ImageGrid, Dense)

  /// - Parameter grid: that of the images.
  init(_ name: String, _ grid: ImageGrid, _ configuration: SQAIRConfiguration, in store: ParameterStore) {
    switch configuration.encoder {
    case .mlp:
      self = .perceptron(TwoLayers(name, in: store))
    case .conv:
      let layers = Self.grids(from: grid, configuration).indices.dropLast().map {
        Dense("\(name).conv\($0)", in: store)
      }
      self = .convolutional(layers, grid, Dense(name + ".dense", in: store))
    }
  }

  /// The images, and what each convolution makes of them.
  static func grids(from grid: ImageGrid, _ configuration: SQAIRConfiguration) -> [ImageGrid] {
    var grids = [grid]
    repeat {
      grids.append(grids.last!.halved(channels: configuration.channels))
    } while max(grids.last!.height, grids.last!.width) > 7
    return grids
  }

  static func declare(
    _ name: String, _ grid: ImageGrid, for configuration: SQAIRConfiguration, in store: ParameterStore
  ) {
    let declare = LayerDeclarations(store: store)
    let n = configuration.hidden
    switch configuration.encoder {
    case .mlp:
      declare.dense(name + ".l0", grid.elements, n)
      declare.dense(name + ".l1", n, n)
    case .conv:
      let grids = grids(from: grid, configuration)
      for (number, (old, new)) in zip(grids, grids.dropFirst()).enumerated() {
        declare.dense("\(name).conv\(number)", 9 * old.channels, new.channels)
      }
      declare.dense(name + ".dense", grids.last!.elements, n)
    }
  }

  /// Calls `body` with the multiplications of each layer for one image, from the first layer on.
  static func forEachLayer(_ grid: ImageGrid, _ configuration: SQAIRConfiguration, _ body: (Int) -> Void) {
    let n = configuration.hidden
    switch configuration.encoder {
    case .mlp:
      body(grid.elements * n)
      body(n * n)
    case .conv:
      var old = grid
      repeat {
        let new = old.halved(channels: configuration.channels)
        body(new.pixels * 9 * old.channels * new.channels)
        old = new
      } while max(old.height, old.width) > 7
      body(old.elements * n)
    }
  }
}

/// A network from features to images: two hidden layers and one of pixels, or two hidden layers and the transpose of a
/// convolutional encoder, whose last layer has no bias.
enum ImageDecoder {
  case perceptron(TwoLayers, Dense)
  /// The transposed convolutions but the last, the weight of that one, and the grids from the smallest on.
  case convolutional(hidden: TwoLayers, [Dense], last: Tensor, [ImageGrid])

  init(_ name: String, _ grid: ImageGrid, _ configuration: SQAIRConfiguration, in store: ParameterStore) {
    switch configuration.encoder {
    case .mlp:
      self = .perceptron(TwoLayers(name, in: store), Dense(name + ".out", in: store))
    case .conv:
      let grids = Array(ImageEncoder.grids(from: grid, configuration).reversed())
      self = .convolutional(
        hidden: TwoLayers(name, in: store),
        grids.indices.dropLast(2).map { Dense("\(name).conv\($0)", in: store) }, last: store[name + ".out.w"], grids)
    }
  }

  /// - Parameter inputs: number of features.
  static func declare(
    _ name: String, inputs: Int, _ grid: ImageGrid, for configuration: SQAIRConfiguration, in store: ParameterStore
  ) {
    let declare = LayerDeclarations(store: store)
    let n = configuration.hidden
    declare.dense(name + ".l0", inputs, n)
    switch configuration.encoder {
    case .mlp:
      declare.dense(name + ".l1", n, n)
      declare.dense(name + ".out", n, grid.elements)
    case .conv:
      let grids = Array(ImageEncoder.grids(from: grid, configuration).reversed())
      declare.dense(name + ".l1", n, grids[0].elements)
      // A pixel is the sum of a quarter of the nine numbers of each channel.
      let start = Initializer.truncatedNormal(inputs: max(1, configuration.channels * 9 / 4))
      for (number, (old, new)) in zip(grids, grids.dropFirst()).dropLast().enumerated() {
        store.declare("\(name).conv\(number).w", [old.channels, 9 * new.channels], start)
        store.declare("\(name).conv\(number).b", [new.channels], .constant(0))
      }
      store.declare(name + ".out.w", [configuration.channels, 9], start)
    }
  }

  /// Multiplications of one image: those of an encoder of such images, and a layer before them.
  static func products(inputs: Int, _ grid: ImageGrid, _ configuration: SQAIRConfiguration) -> Int {
    var products = inputs * configuration.hidden
    ImageEncoder.forEachLayer(grid, configuration) { products += $0 }
    return products
  }
}

extension Tape {
  /// Features [rows, n] of images [rows, H W].
  ///
  /// - Parameter feedsOneProduct: whether one product alone reads them.
  func features(_ images: Tensor, _ encoder: ImageEncoder, feedsOneProduct: Bool) -> Tensor {
    switch encoder {
    case .perceptron(let layers):
      return feedsOneProduct ? hidden(images, layers) : twoLayers(images, layers)
    case .convolutional(let layers, var grid, let dense):
      var x = images
      for layer in layers {
        x = convolve(x, grid, weight: layer.weight, bias: layer.bias, activation: .elu, feedsOneProduct: true)
        grid = grid.halved(channels: layer.weight.columns)
      }
      return feedsOneProduct ? hidden(x, dense) : self.dense(x, dense, .elu)
    }
  }

  /// Images [rows, H W] from features.
  func images(of features: Tensor, _ decoder: ImageDecoder) -> Tensor {
    switch decoder {
    case .perceptron(let layers, let output):
      return dense(hidden(features, layers), output)
    case .convolutional(let hiddenLayers, let layers, let last, let grids):
      var x = hidden(features, hiddenLayers)
      for (layer, grid) in zip(layers, grids.dropFirst()) {
        x = convolveTransposed(x, to: grid, weight: layer.weight, bias: layer.bias, activation: .elu)
      }
      return convolveTransposed(x, to: grids.last!, weight: last)
    }
  }
}
