import Foundation
import Numerics
import Runs
import Storage
import TestSupport
import Testing

/// What a checkpoint keeps of a run, and what it refuses to take over.
@Suite struct TrainingStateTests {
  private func state(_ change: (inout Configuration) -> Void = { _ in }) -> TrainingState {
    var configuration = ToyModel.configuration()
    change(&configuration)
    return TrainingState(configuration, meanImage: ToyModel.meanImage)
  }

  private func isEqual(_ a: TrainingState, _ b: TrainingState) -> Bool {
    withExtendedLifetime((a, b)) { a.model.parameters.values.elementsEqual(b.model.parameters.values) }
  }

  private func error(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [OptimizerConfiguration.Kind.adam, .rmsprop])
  func aCheckpointFileBringsBackEverything(kind: OptimizerConfiguration.Kind) throws {
    let folder = try TemporaryDirectory()
    let first = state { $0.training.optimizer.kind = kind }
    var reader = CounterRandom(seed: 1, purpose: .inference).reader(0)
    for update in 1...3 {
      for place in first.model.parameters.gradients.indices {
        first.model.parameters.gradients[place] = Float(reader.uniform(-1, 1))
      }
      first.optimizer.update(
        0..<first.model.parameters.count, of: first.model.parameters.values,
        gradients: first.model.parameters.gradients, factor: 0.5, learningRate: 1e-3, update: update)
    }
    first.step = 3
    let path = try CheckpointStore(directory: folder.path).commit(first.checkpoint(data: "toy")).path

    let second = state {
      $0.training.optimizer.kind = kind
      $0.training.seed = 77
    }
    #expect(!isEqual(first, second))
    let checkpoint = try Checkpoint(reading: path)
    try second.restore(checkpoint, from: path)
    #expect(second.step == 3)
    #expect(isEqual(first, second))
    for (a, b) in zip(first.optimizer.state, second.optimizer.state) {
      #expect(a.name == b.name)
      let isRestored = a.values.elementsEqual(b.values)
      #expect(isRestored, "\(a.name)")
      let distinct = Set(a.values).count
      #expect(distinct > 100, "\(a.name) was not used")
    }
    #expect(checkpoint.data == "toy" && checkpoint.model == "sqair" && checkpoint.seed == 0)
    #expect(checkpoint.optimizer.map(\.name) == (kind == .adam ? ["m", "v"] : ["mom", "ms"]))
    let configuration = try Configuration(resolvedJSON: checkpoint.configuration, place: "test")
    #expect(configuration.training.optimizer.kind == kind)
  }

  /// Both kinds of parameters are in the file; a run goes on with both, and the model is used with the average.
  @Test func theAverageIsPartOfTheState() throws {
    func averaged() -> TrainingState { state { $0.training.average = 0.9 } }
    let first = averaged()
    let parameters = first.model.parameters
    parameters.gradients.update(repeating: 1)
    for update in 1...3 {
      first.optimizer.update(
        0..<parameters.count, of: parameters.values, gradients: parameters.gradients, factor: 1, learningRate: 1e-2,
        update: update, average: first.average)
    }
    first.step = 3
    let checkpoint = first.checkpoint(data: "toy")
    #expect(checkpoint.optimizer.map(\.name) == ["average", "m", "v"])

    let (second, used) = (averaged(), averaged())
    try second.restore(checkpoint, from: "x.h5")
    try used.restoreModel(checkpoint, from: "x.h5")
    let mean = try #require(first.average)
    let other = try #require(second.average)
    try withExtendedLifetime((first, second, used)) {
      #expect(isEqual(first, second) && mean.values.elementsEqual(other.values))
      #expect(!mean.values.elementsEqual(parameters.values))
      #expect(used.model.parameters.values.elementsEqual(mean.values))
      try first.withAverage { #expect(isEqual(first, used)) }
      #expect(isEqual(first, second))
    }
    // Without an average the parameters are used, and another setting is no checkpoint of this run.
    let plain = state()
    try plain.restoreModel(state { $0.training.seed = 3 }.checkpoint(data: ""), from: "x.h5")
    #expect(isEqual(plain, state { $0.training.seed = 3 }))
    #expect(
      error { try averaged().restore(plain.checkpoint(data: ""), from: "x.h5") }
        .hasPrefix("x.h5: it holds no optimizer state 'average' (only m, v)."))
  }

  @Test func theStartIsAFunctionOfTheSeed() throws {
    let first = state()
    #expect(isEqual(first, state()))
    #expect(!isEqual(first, state { $0.training.seed = 1 }))
    let parameters = first.model.parameters
    let mean = try #require(parameters.parameter("dec.mean_img"))
    #expect(parameters.read(mean) == ToyModel.meanImage)
  }

  @Test func anotherModelIsRefused() {
    let other = state { $0.model.constants.hidden = 20 }.checkpoint(data: "")
    let text = error { try state().restore(other, from: "x.h5") }
    #expect(text.hasPrefix("x.h5: parameter '"))
    #expect(text.contains("should have the shape [") && text.contains("but the file has the shape ["))
    #expect(text.contains("It is a checkpoint of another model"))
  }

  @Test func anotherOptimizerIsRefused() {
    let other = state { $0.training.optimizer.kind = .rmsprop }.checkpoint(data: "")
    #expect(
      error { try state().restore(other, from: "x.h5") } == """
        x.h5: it holds no optimizer state 'm' (only mom, ms). It was trained with another optimizer: choose the same \
        one, or another run folder.
        """)
  }

  /// The same checkpoint with other arrays.
  private func changed(
    _ whole: Checkpoint, parameters: [NamedArray]? = nil, optimizer: [Checkpoint.OptimizerSlot]? = nil
  ) -> Checkpoint {
    Checkpoint(
      step: whole.step, model: whole.model, seed: whole.seed, configuration: whole.configuration, data: whole.data,
      software: whole.software, parameters: parameters ?? whole.parameters, optimizer: optimizer ?? whole.optimizer)
  }

  @Test func aModelWithoutOptimizerStateIsUsedButNotResumed() throws {
    let other = state { $0.training.seed = 5 }
    let model = changed(other.checkpoint(data: ""), optimizer: [])
    let target = state()
    try target.restoreModel(model, from: "x.h5")
    #expect(isEqual(target, other))
    #expect(
      error { try target.restore(model, from: "x.h5") } == """
        x.h5: it holds a model without the state of the optimizer, so that no run can be resumed from it. Evaluate it, \
        generate from it, or begin a new run with it (--from).
        """)
  }

  @Test(arguments: [Float.nan, .infinity]) func numbersThatAreNotFiniteAreRefused(value: Float) {
    let whole = state().checkpoint(data: "")
    var parameters = whole.parameters
    parameters[2].values[0] = value
    let name = parameters[2].name
    let spoilt = changed(whole, parameters: parameters)
    #expect(
      error { try state().restoreModel(spoilt, from: "x.h5") }
        == "x.h5: parameter '\(name)' has numbers that are not finite. Use an earlier checkpoint.")
    var slots = whole.optimizer
    slots[0].arrays[1].values[0] = value
    #expect(
      error { try state().restore(changed(whole, optimizer: slots), from: "x.h5") }
        .contains(
          "the optimizer state '\(slots[0].name)' of '\(slots[0].arrays[1].name)' has numbers that are not finite"))
  }

  @Test func missingAndSuperfluousParametersAreNamed() {
    let whole = state().checkpoint(data: "")
    func changed(_ parameters: [NamedArray]) -> Checkpoint {
      Checkpoint(
        step: whole.step, model: whole.model, seed: whole.seed, configuration: whole.configuration, data: whole.data,
        software: whole.software, parameters: parameters, optimizer: whole.optimizer)
    }
    let missing = changed(whole.parameters.filter { $0.name != "dec.output_scale" })
    #expect(
      error { try state().restore(missing, from: "x.h5") }
        .contains("parameter 'dec.output_scale' should have the shape [], but the file has nothing of that name"))
    let extra = changed(whole.parameters + [NamedArray(name: "zzz", shape: [1], values: [0])])
    #expect(error { try state().restore(extra, from: "x.h5") }.contains("parameter 'zzz' is not part of this model"))
  }
}
