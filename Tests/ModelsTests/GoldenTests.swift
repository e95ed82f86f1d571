import Foundation
import Models
import Numerics
import Testing

/// The whole model against the reference numbers: every output, weight and gradient.
///
/// Entries of slots that are absent before and after are not computed (note O11) and not compared.
@Suite struct GoldenTests {
  /// Runs inference on the file's batch and hands over everything.
  private func withInference(
    _ body: (GoldenFile, SQAIRModel, Tape, [FrameInference]) throws -> Void
  ) throws {
    let file = try GoldenFile()
    let model = try file.model()
    let tape = Tape()
    var frames: [FrameInference] = []
    model.infer(try file.batch(on: tape), noise: try GoldenNoise(inference: file), on: tape, into: &frames)
    try body(file, model, tape, frames)
  }

  @Test func goldenPresenceAndIdentities() throws {
    try withInference { file, _, _, frames in
      let ids = try file.array("out/ids")
      let lastIDs = try file.array("out/last_id")
      let presence = try file.array("out/presence")
      let propagated = try file.array("out/prop.presence")
      let discovered = try file.array("out/disc.presence")
      let steps = try ["num_steps", "num_prop_steps", "num_disc_steps"].map { try file.array("out/" + $0) }
      for (t, frame) in frames.enumerated() {
        for row in 0..<file.rowCount {
          for slot in 0..<file.slots {
            let object = frame.state.objects[row * file.slots + slot]
            #expect(presence[t, row, slot] == (object >= 0 ? 1 : 0), "frame \(t), row \(row), slot \(slot)")
            #expect(ids[t, row, slot] == (object >= 0 ? Double(frame.state.ids[object]) : -1))
            let before = frame.previous.objects[row * file.slots + slot]
            #expect(
              propagated[t, row, slot] == (before >= 0 ? Double(frame.propagated.posterior.presence[before, 0]) : 0))
          }
          #expect(lastIDs[t, row] == Double(frame.state.lastIDs[row]))
          #expect(steps[0][t, row] == Double(frame.objectCount(row)))
          #expect(steps[1][t, row] == Double(frame.propagatedCount(row)))
          #expect(steps[2][t, row] == Double(frame.discoveredCount(row)))
        }
        var found = [Double](repeating: 0, count: file.rowCount * file.slots)
        for draw in 0..<frame.discovered.rows.count {
          found[frame.discovered.rows[draw] * file.slots + frame.discovered.slots[draw]] =
            Double(frame.discovered.posterior.presence[draw, 0])
        }
        #expect(found == (0..<found.count).map { discovered[t, $0 / file.slots, $0 % file.slots] })
      }
    }
  }

  @Test func goldenPropagation() throws {
    try withInference { file, _, _, frames in
      let places = frames.map { frame in
        (0..<frame.previous.count).map { object in
          Place(object: object, path: [frame.previous.rows[object], Self.slot(of: object, in: frame.previous)])
        }
      }
      func compare(_ name: String, _ tensor: (Propagation.Output) -> Tensor, onlyPresent: Bool = false) throws {
        let array = try file.array("out/" + name)
        for (t, frame) in frames.enumerated() {
          let chosen = places[t].filter { !onlyPresent || frame.propagated.posterior.presence[$0.object, 0] > 0 }
          Self.expect(tensor(frame.propagated), chosen, agreesWith: array, at: t)
        }
      }
      try compare("prop.what") { $0.posterior.what }
      try compare("prop.what_loc") { $0.posterior.whatLocation }
      try compare("prop.what_scale") { $0.posterior.whatScale }
      try compare("prop.where") { $0.posterior.whereLogits }
      try compare("prop.where_loc") { $0.posterior.whereLocation }
      try compare("prop.where_scale") { $0.posterior.whereScale }
      try compare("prop.presence_logit") { $0.posterior.logit }
      try compare("prop.presence_prob") { $0.posterior.probability }
      try compare("prop.prior.logit") { $0.prior.logit }
      try compare("prop.prior.what_loc") { $0.prior.whatMean }
      try compare("prop.prior.what_scale") { $0.prior.whatScale }
      try compare("prop.prior.where_loc") { $0.prior.whereMean }
      try compare("prop.prior.where_scale") { $0.prior.whereScale }
      // The file's log probabilities are zero where the object is gone.
      try compare("prop.what_log_prob", { $0.posterior.whatLogQ }, onlyPresent: true)
      try compare("prop.where_log_prob", { $0.posterior.whereLogQ }, onlyPresent: true)
      try compare("prop.what_prior_log_prob", { $0.whatLogP }, onlyPresent: true)
      try compare("prop.where_prior_log_prob", { $0.whereLogP }, onlyPresent: true)

      let probability = try file.array("out/prop.prop_prob")
      let logQ = try file.array("out/prop.prop_log_prob")
      let logP = try file.array("out/prop.prop_prior_log_prob")
      for (t, frame) in frames.enumerated() {
        var sums = [Int: (Double, Double)]()
        for place in places[t] {
          let q = Double(frame.propagated.presenceLogQ[place.object, 0])
          let p = Double(frame.propagated.presenceLogP[place.object, 0])
          #expect(abs(exp(q) - probability[[t] + place.path]) < 1e-4)
          sums[place.path[0], default: (0, 0)].0 += q
          sums[place.path[0], default: (0, 0)].1 += p
        }
        for row in 0..<file.rowCount {
          #expect(abs((sums[row]?.0 ?? 0) - logQ[t, row]) < 2e-3 * max(1, abs(logQ[t, row])))
          #expect(abs((sums[row]?.1 ?? 0) - logP[t, row]) < 2e-3 * max(1, abs(logP[t, row])))
        }
      }
    }
  }

  @Test func goldenDiscovery() throws {
    try withInference { file, _, _, frames in
      func compare(_ name: String, _ tensor: (Discovery.Output) -> Tensor, onlyPresent: Bool = false) throws {
        let array = try file.array("out/" + name)
        for (t, frame) in frames.enumerated() {
          let output = frame.discovered
          let places = (0..<output.rows.count).filter { !onlyPresent || output.posterior.presence[$0, 0] > 0 }.map {
            Place(object: $0, path: [output.rows[$0], output.slots[$0]])
          }
          Self.expect(tensor(output), places, agreesWith: array, at: t)
        }
      }
      try compare("disc.what") { $0.posterior.what }
      try compare("disc.what_loc") { $0.posterior.whatLocation }
      try compare("disc.what_scale") { $0.posterior.whatScale }
      try compare("disc.where") { $0.posterior.whereLogits }
      try compare("disc.where_loc") { $0.posterior.whereLocation }
      try compare("disc.where_scale") { $0.posterior.whereScale }
      try compare("disc.presence_logit") { $0.posterior.logit }
      try compare("disc.presence_prob") { $0.posterior.probability }
      try compare("disc.what_log_prob", { $0.posterior.whatLogQ }, onlyPresent: true)
      try compare("disc.where_log_prob", { $0.posterior.whereLogQ }, onlyPresent: true)
      try compare("disc.what_prior_log_prob", { $0.whatLogP }, onlyPresent: true)

      for (t, frame) in frames.enumerated() {
        let output = frame.discovered
        let prior = output.wherePrior
        let present = (0..<prior.draws.count).map { object in
          Place(object: object, path: [prior.rows[object], output.slots[prior.draws[object]]])
        }
        Self.expect(prior.mean, present, agreesWith: try file.array("out/disc.prior_where_loc"), at: t)
        Self.expect(prior.scale, present, agreesWith: try file.array("out/disc.prior_where_scale"), at: t)
        Self.expect(prior.logP, present, agreesWith: try file.array("out/disc.where_prior_log_prob"), at: t)
        let rows = (0..<file.rowCount).map { Place(object: $0, path: [$0]) }
        Self.expect(output.countLogQ, rows, agreesWith: try file.array("out/disc.num_step_log_prob"), at: t)
        Self.expect(output.countPrior.logP, rows, agreesWith: try file.array("out/disc.num_step_prior_log_prob"), at: t)
        Self.expect(output.countPrior.logits, rows, agreesWith: try file.array("out/disc.prior_step_logits"), at: t)
        Self.expect(frame.expected, rows, agreesWith: try file.array("out/disc.expected_prop"), at: t)
        let summary = try file.array("out/disc.cond")
        if let ours = frame.summary {
          Self.expect(ours, rows, agreesWith: summary, at: t)
        } else {
          #expect(rows.allSatisfy { row in (0..<summary.shape[2]).allSatisfy { summary[t, row.object, $0] == 0 } })
        }
        // The count posterior from the draws up to the first failure.
        let posterior = try file.array("out/disc.num_steps_prob")
        var running = [Double](repeating: 1, count: file.rowCount)
        for draw in 0..<output.rows.count {
          let (row, slot) = (output.rows[draw], output.slots[draw])
          let beta = Double(output.posterior.probability[draw, 0])
          #expect(abs(running[row] * (1 - beta) - posterior[t, row, slot]) < 1e-4)
          running[row] *= beta
        }
      }
    }
  }

  @Test func goldenMergedObjectsAndImages() throws {
    try withInference { file, _, _, frames in
      let pixels = file.configuration.height * file.configuration.width
      for (t, frame) in frames.enumerated() {
        let places = (0..<frame.state.count).map {
          Place(object: $0, path: [frame.state.rows[$0], Self.slot(of: $0, in: frame.state)])
        }
        for (name, tensor) in [
          ("what", frame.state.what), ("where", frame.state.whereLogits), ("temp", frame.state.temporal),
          ("prior_h", frame.state.prior), ("glimpse", frame.drawn.glimpses),
        ] {
          Self.expect(tensor, places, agreesWith: try file.array("out/" + name), at: t)
        }
        for (name, propagated, discovered) in [
          ("what_loc", frame.propagated.posterior.whatLocation, frame.discovered.posterior.whatLocation),
          ("what_scale", frame.propagated.posterior.whatScale, frame.discovered.posterior.whatScale),
          ("where_loc", frame.propagated.posterior.whereLocation, frame.discovered.posterior.whereLocation),
          ("where_scale", frame.propagated.posterior.whereScale, frame.discovered.posterior.whereScale),
          ("presence_logit", frame.propagated.posterior.logit, frame.discovered.posterior.logit),
          ("presence_prob", frame.propagated.posterior.probability, frame.discovered.posterior.probability),
        ] {
          let array = try file.array("out/" + name)
          for place in places {
            let source = frame.mergeSource[place.object]
            let isOld = source < frame.previous.count
            Self.expect(
              isOld ? propagated : discovered,
              [Place(object: isOld ? source : source - frame.previous.count, path: place.path)], agreesWith: array,
              at: t)
          }
        }
        let canvas = try file.array("out/canvas")
        let mask = try file.array("out/mask")
        for row in 0..<file.rowCount {
          for pixel in 0..<pixels {
            let offset = (t * file.rowCount + row) * pixels + pixel
            #expect(abs(Double(frame.mean[row, pixel]) - canvas.values[offset]) < 1e-3)
            #expect(abs(Double(frame.drawn.mask[row, pixel]) - mask.values[offset]) < 1e-3)
          }
        }
      }
    }
  }

  @Test func goldenLogProbabilitiesAndWeights() throws {
    try withInference { file, _, _, frames in
      func compare(_ name: String, _ value: (FrameInference, Int) -> Double) throws {
        let array = try file.array("out/" + name)
        for (t, frame) in frames.enumerated() {
          for row in 0..<file.rowCount {
            let expected = array[t, row]
            #expect(
              abs(value(frame, row) - expected) <= 2e-3 * max(1, abs(expected)), "\(name) at frame \(t), row \(row)")
          }
        }
      }
      try compare("data_ll") { Double($0.logLikelihood[$1, 0]) }
      try compare("log_q") { Double($0.logQ[$1, 0]) }
      try compare("log_p") { Double($0.logP[$1, 0]) }
      try compare("kl") { Double($0.klEstimate($1)) }
      try compare("log_weight") { $0.logWeight($1) }
      try compare("discrete_log_prob") { $0.discreteLogProbability($1) }

      let totals = ParticleTotals(frames, file)
      let weights = try file.array("out/log_weights")
      let variates = try file.array("out/control_variate")
      let importance = try file.array("out/importance_weights")
      let bounds = try file.array("out/elbo_iwae_per_example")
      var mean = 0.0
      for b in 0..<file.examples {
        totals.logWeights.withUnsafeBufferPointer { all in
          let own = UnsafeBufferPointer(rebasing: all[b * file.particles..<(b + 1) * file.particles])
          var softmax = [Double](repeating: 0, count: file.particles)
          softmax.withUnsafeMutableBufferPointer { Objective.importanceWeights(own, into: $0) }
          for j in 0..<file.particles {
            #expect(abs(own[j] - weights[b, j]) <= 2e-3 * max(1, abs(weights[b, j])))
            #expect(abs(Objective.controlVariate(own, of: j) - variates[b, j]) <= 2e-3 * max(1, abs(variates[b, j])))
            #expect(abs(softmax[j] - importance[b, j]) <= 2e-3)
          }
          #expect(abs(Objective.bound(own) - bounds[b]) <= 2e-3 * max(1, abs(bounds[b])))
          mean += Objective.bound(own) / Double(file.examples)
        }
      }
      #expect(abs(mean - (try file.array("out/elbo_iwae")[[]])) <= 2e-3 * abs(mean))
      let vae = totals.logWeights.reduce(0, +) / Double(totals.logWeights.count)
      #expect(abs(vae - (try file.array("out/elbo_vae")[[]])) <= 2e-3 * abs(vae))
    }
  }

  @Test(arguments: [false, true])
  func goldenGradients(ofTextbookGroup isTextbookGroup: Bool) throws {
    try withInference { file, model, tape, frames in
      let totals = ParticleTotals(frames, file)
      let estimator = isTextbookGroup ? .textbook : file.estimator
      let loss = totals.seed(frames, file, estimator: estimator, tape: tape)
      let group = isTextbookGroup ? "proper_vimco/grads" : "grads"
      let target = try file.array(isTextbookGroup ? "proper_vimco/target" : "out/target")[[]]
      #expect(abs(loss - target) <= 2e-3 * max(1, abs(target)))
      tape.backward()
      try Self.expectGradients(of: model, agreeWith: group, in: file)
      if !isTextbookGroup {
        #expect(try file.names(below: "/grads").count == model.parameters.parameters.count)
      }
    }
  }

  /// The purely pathwise part: the gradient of the mean bound, not divided by T.
  @Test func goldenPathwiseGradients() throws {
    try withInference { file, model, tape, frames in
      let totals = ParticleTotals(frames, file)
      tape.prepareBackward()
      for b in 0..<file.examples {
        var softmax = [Double](repeating: 0, count: file.particles)
        let own = Array(totals.logWeights[b * file.particles..<(b + 1) * file.particles])
        own.withUnsafeBufferPointer { own in
          softmax.withUnsafeMutableBufferPointer { Objective.importanceWeights(own, into: $0) }
        }
        for j in 0..<file.particles {
          for frame in frames {
            frame.seed(b * file.particles + j, logWeight: Float(softmax[j] / Double(file.examples)), discrete: 0)
          }
        }
      }
      tape.backward()
      try Self.expectGradients(of: model, agreeWith: "grads_elbo_iwae", in: file)
    }
  }

  @Test func goldenConditionalGeneration() throws {
    let file = try GoldenFile()
    let model = try file.model()
    let tape = Tape(recording: false)
    var inferred: [FrameInference] = []
    let batch = try file.batch(frames: file.conditionedFrames, on: tape)
    let state = model.infer(batch, noise: try GoldenNoise(inference: file), on: tape, into: &inferred)
    let total = try file.array("gen_conditional/presence").shape[0]
    var generated: [GeneratedFrame] = []
    model.generate(
      from: state, rowCount: file.rowCount, frames: file.conditionedFrames..<total, discovers: { _ in false },
      noise: try GoldenNoise(generation: file), on: tape, into: &generated)
    let states = inferred.map { ($0.state, $0.drawn) } + generated.map { ($0.state, $0.drawn!) }
    try Self.expectGenerated(states, agreeWith: "gen_conditional", in: file)
  }

  @Test func goldenUnconditionalGeneration() throws {
    let file = try GoldenFile()
    let model = try file.model()
    let tape = Tape(recording: false)
    let total = try file.array("gen_unconditional/presence").shape[0]
    var generated: [GeneratedFrame] = []
    model.generate(
      from: nil, rowCount: file.rowCount, frames: 0..<total, discovers: { _ in true },
      noise: try GoldenNoise(generation: file), on: tape, into: &generated)
    try Self.expectGenerated(generated.map { ($0.state, $0.drawn!) }, agreeWith: "gen_unconditional", in: file)
  }
}
