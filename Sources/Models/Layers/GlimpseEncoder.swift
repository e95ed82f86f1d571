import Numerics

/// `look` of section 3.1: what a glimpse shows, as mean and spread of an appearance vector.
struct GlimpseEncoder {
  private let hidden: ImageEncoder
  private let mean: Dense
  private let spread: Dense
  private let minimum: Float

  init(_ configuration: SQAIRConfiguration, in store: ParameterStore) {
    hidden = ImageEncoder("enc.glimpse", configuration.glimpseGrid, configuration, in: store)
    let head = Dense("enc.glimpse.out", in: store)
    mean = head.outputs(0..<configuration.what)
    spread = head.outputs(configuration.what..<2 * configuration.what)
    minimum = configuration.minimumStandardDeviation
  }

  /// The mean alone [rows, d], for glimpses [rows, cells].
  func location(_ glimpses: Tensor, on tape: Tape) -> Tensor {
    tape.dense(tape.features(glimpses, hidden, feedsOneProduct: true), mean)
  }

  /// Writes [mean | spread] into a tensor [rows, 2d], for glimpses [rows, cells].
  func moments(_ glimpses: Tensor, on tape: Tape, into moments: Tensor) {
    let features = tape.features(glimpses, hidden, feedsOneProduct: false)
    let d = mean.weight.columns
    _ = tape.dense(features, mean, into: moments.slice(columns: 0..<d))
    _ = tape.softplusScale(tape.dense(features, spread), minimum: minimum, into: moments.slice(columns: d..<2 * d))
  }
}
