import Numerics

/// The trainable parameters: names, shapes and initial values of section 3, in its order.
enum ObjectModelParameters {
  /// - Parameter propagates: whether objects are carried from frame to frame. Without that there is nothing to
  ///   condition discovery on, and every frame is a first one.
  static func declare(in store: ParameterStore, for c: SQAIRConfiguration, propagates: Bool) {
    let n = c.hidden
    let d = c.what
    let k = c.slots
    let cells = c.glimpseGrid.elements
    let declare = LayerDeclarations(store: store)

    ImageEncoder.declare("enc.img", c.imageGrid, for: c, in: store)
    ImageEncoder.declare("enc.glimpse", c.glimpseGrid, for: c, in: store)
    declare.dense("enc.glimpse.out", n, 2 * d)
    if propagates {
      declare.dense("enc.mask.l0", n, c.maskHidden)
      declare.dense("enc.mask.out", c.maskHidden, cells, bias: c.maskBias)
      declare.dense("enc.latent.l0", d + 4, n)
      declare.dense("enc.latent.l1", n, n)
    }

    declare.recurrent("disc.rnn", DiscoveryStepInput(c, followsPropagation: propagates).all.size, n)
    declare.dense("disc.where.l0", n, n)
    declare.dense("disc.where.l1", n, n)
    declare.dense("disc.where.out", n, 8)
    store.declare("disc.where.scale_offset", [], .constant(c.transformVarianceBias))
    declare.dense("disc.pres.l0", n + d, n / 2)
    declare.dense("disc.pres.out", n / 2, 1, bias: c.discoveryStepBias)

    store.declare("disc.prior.step_bias", [k + 1], .constant(0))
    if propagates {
      store.declare(
        "disc.prior.step_time_bias", [k + 1], .values([c.stepTimeBias] + Array(repeating: 0, count: k)))
    }
    declare.dense("disc.prior.step.l0", 1, 10)
    declare.dense("disc.prior.step.out", 10, k + 1)
    store.declare("disc.prior.where.s0", [4], .glorotUniform(inputs: 1, outputs: 4))
    store.declare("disc.prior.where.h0", [4], .constant(0))
    declare.dense(
      "disc.prior.where.cond", ConditioningInput(c, followsPropagation: propagates).all.size, c.wherePriorHidden)
    declare.dense("disc.prior.where.ih", 4, 4)
    declare.dense("disc.prior.where.hh", c.wherePriorHidden, 4)
    declare.weights("disc.prior.where.out", 4, 8)
    store.declare(
      "disc.prior.where.out.b", [8],
      .values(
        [c.scalePrior, c.scalePrior + c.scalePriorHeightOffset, 0, 0]
          + Array(repeating: c.wherePriorRawScale, count: 4)))

    if propagates { declarePropagation(declare, c) }

    ImageDecoder.declare("dec", inputs: d, c.glimpseGrid, for: c, in: store)
    store.declare("dec.output_scale", [], .constant(c.outputScale))
    store.declare("dec.mean_img", [c.height, c.width], .constant(0))
  }

  private static func declarePropagation(_ declare: LayerDeclarations, _ c: SQAIRConfiguration) {
    let n = c.hidden
    let d = c.what
    declare.dense("prop.where_bias.l0", n, c.whereBiasHidden)
    declare.dense("prop.where_bias.out", c.whereBiasHidden, 4)
    declare.recurrent("prop.rnn", PropagationStepInput(c).all.size, n)
    declare.dense("prop.where.l0", n + 4 + n, n)
    declare.dense("prop.where.l1", n, n)
    declare.dense("prop.where.out", n, 8)
    if c.refinesPosition {
      declare.dense("prop.refine.l0", n + d + n, n)
      // Nothing is corrected at first.
      declare.store.declare("prop.refine.out.w", [n, 8], .constant(0))
      declare.store.declare("prop.refine.out.b", [8], .constant(0))
    }
    declare.store.declare("prop.where.scale_offset", [], .constant(c.transformVarianceBias))
    declare.store.declare("prop.where.chol", [10], .glorotUniform(inputs: 10, outputs: 10))
    declare.gatedRecurrentUnit("prop.temporal", TemporalInput(c).all.size, n)
    declare.dense("prop.what", n, 2 * d)
    declare.dense("prop.gates", n, 3 * d, bias: c.gateBias)
    declare.dense("prop.pres.l0", n + n + d, n / 2)
    declare.dense("prop.pres.out", n / 2, 1, bias: c.propagationStepBias)

    declare.gatedRecurrentUnit("prop.prior.gru", d + 4, n)
    declare.dense("prop.prior.out", n, 1 + 2 * (4 + d))
    if c.motionFrames > 0 { declare.dense("prop.prior.motion", n, 2) }
  }
}
