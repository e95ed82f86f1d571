import Foundation
import Models
import Numerics
import Testing

/// How outputs, gradients and generated frames are compared with the file.
extension GoldenTests {
  /// A row of one of our tensors, and where the file keeps it below the frame.
  struct Place {
    let object: Int
    let path: [Int]
  }

  static func slot(of object: Int, in state: ObjectState) -> Int {
    (0..<state.slots).first { state.range(ofSlot: $0).contains(object) }!
  }

  static func expect(_ tensor: Tensor, _ places: [Place], agreesWith array: GoldenArray, at t: Int) {
    for place in places {
      let base = [t] + place.path
      let rest = array.shape.dropFirst(base.count).reduce(1, *)
      #expect(rest == tensor.columns, "\(array.name) has \(rest) elements each, ours \(tensor.columns)")
      var offset = 0
      for (extent, index) in zip(array.shape, base) { offset = offset * extent + index }
      for element in 0..<rest {
        let expected = array.values[offset * rest + element]
        let ours = Double(tensor[place.object, element])
        #expect(
          abs(ours - expected) <= 1e-3 * max(1, abs(expected)),
          "\(array.name) at frame \(t), \(place.path), element \(element): \(ours), not \(expected)")
      }
    }
  }

  static func expectGradients(of model: any SequenceModel, agreeWith group: String, in file: GoldenFile) throws {
    for name in try file.names(below: "/" + group) {
      let expected = try file.array(group + "/" + name).values
      let parameter = try #require(model.parameters.parameter(name))
      let ours = model.parameters.read(parameter, from: UnsafeBufferPointer(model.parameters.gradients))
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let apart = zip(ours, expected).reduce(0.0) { $0 + pow(Double($1.0) - $1.1, 2) }.squareRoot()
      #expect(apart <= 1e-3 * norm + 1e-6, "\(group)/\(name): \(apart) apart, norm \(norm)")
    }
  }

  static func expectGenerated(
    _ states: [(state: ObjectState, drawn: FrameDecoder.Output)], agreeWith group: String, in file: GoldenFile
  ) throws {
    let presence = try file.array(group + "/presence")
    let ids = try file.array(group + "/ids")
    let counts = try file.array(group + "/num_steps")
    let canvas = try file.array(group + "/canvas")
    let pixels = file.configuration.height * file.configuration.width
    for (t, (state, drawn)) in states.enumerated() {
      for row in 0..<file.rowCount {
        var count = 0.0
        for slot in 0..<file.slots {
          let object = state.objects[row * file.slots + slot]
          #expect(presence[t, row, slot] == (object >= 0 ? 1 : 0), "\(group): frame \(t), row \(row), slot \(slot)")
          #expect(ids[t, row, slot] == (object >= 0 ? Double(state.ids[object]) : -1))
          if object >= 0 { count += 1 }
        }
        #expect(count == counts[t, row])
        for pixel in 0..<pixels {
          #expect(
            abs(Double(drawn.mean[row, pixel]) - canvas.values[(t * file.rowCount + row) * pixels + pixel]) < 1e-3)
        }
      }
      let places = (0..<state.count).map { Place(object: $0, path: [state.rows[$0], slot(of: $0, in: state)]) }
      expect(state.what, places, agreesWith: try file.array(group + "/what"), at: t)
      expect(state.whereLogits, places, agreesWith: try file.array(group + "/where"), at: t)
      expect(drawn.glimpses, places, agreesWith: try file.array(group + "/glimpse"), at: t)
    }
  }

  /// Sums over frames for each row.
  struct ParticleTotals {
    var logWeights: [Double]
    var discrete: [Double]

    init(_ frames: [FrameInference], _ file: GoldenFile) {
      logWeights = (0..<file.rowCount).map { row in frames.reduce(0) { $0 + $1.logWeight(row) } }
      discrete = (0..<file.rowCount).map { row in frames.reduce(0) { $0 + $1.discreteLogProbability(row) } }
    }

    /// Seeds the gradients of the surrogate loss and returns it.
    func seed(_ frames: [FrameInference], _ file: GoldenFile, estimator: Estimator, tape: Tape) -> Double {
      let scale = 1 / Double(file.examples * file.frameCount)
      var loss = 0.0
      tape.prepareBackward()
      for b in 0..<file.examples {
        let range = b * file.particles..<(b + 1) * file.particles
        var weightGradient = [Double](repeating: 0, count: file.particles)
        var discreteGradient = weightGradient
        let own = Array(logWeights[range])
        let ownDiscrete = Array(discrete[range])
        own.withUnsafeBufferPointer { own in
          ownDiscrete.withUnsafeBufferPointer { ownDiscrete in
            weightGradient.withUnsafeMutableBufferPointer { weightGradient in
              discreteGradient.withUnsafeMutableBufferPointer { discreteGradient in
                loss +=
                  scale
                  * Objective.loss(
                    own, discrete: ownDiscrete, estimator: estimator, weightGradient: weightGradient,
                    discreteGradient: discreteGradient)
              }
            }
          }
        }
        for j in 0..<file.particles {
          for frame in frames {
            frame.seed(
              b * file.particles + j, logWeight: Float(scale * weightGradient[j]),
              discrete: Float(scale * discreteGradient[j]))
          }
        }
      }
      return loss
    }
  }
}
