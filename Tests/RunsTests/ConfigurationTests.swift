import Foundation
import Models
import Runs
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  // MARK: Presets

  @Test func everyPresetValidates() {
    #expect(Configuration.presets.map(\.name) == ["fast", "long", "quick", "pedestrians", "paper"])
    for preset in Configuration.presets {
      #expect(Configuration.named(preset.name)?.validate() == [])
    }
    #expect(Configuration.named("fast") == (try? Configuration.resolve()))
    #expect(Configuration.named("slow") == nil)
  }

  @Test func thePaperPresetIsAsPublished() throws {
    let training = try #require(Configuration.named("paper")).training
    #expect(training.optimizer.kind == .rmsprop)
    #expect(training.optimizer.clipNorm == 0)
    #expect(training.vimco == .published)
    #expect(training.batchSize == 32 && training.particles == 5)
    let rate = { training.optimizer.learningRate(atStep: $0, of: training.steps) }
    #expect(rate(0) == 1e-5)
    #expect(rate(199_999) == 1e-5)
    #expect(abs(rate(200_000) - 1e-5 / 3) < 1e-20)
    #expect(abs(rate(499_999) - 1e-5 / 3) < 1e-20)
    #expect(abs(rate(500_000) - 1e-5 / 9) < 1e-20)
    let steps = [0, 99_999, 100_000, 699_999, 700_000, 999_999]
    #expect(steps.map(training.frames.frames(atStep:)) == [3, 3, 4, 9, 10, 10])
  }

  /// Whole sequences from the first update on, and a layer that a model of `fast` lacks: `long` is for `--from`.
  @Test func longContinuesFast() throws {
    let fast = try #require(Configuration.named("fast"))
    var long = try #require(Configuration.named("long"))
    #expect(long.model.constants.refinesPosition && long.training.frames.frames(atStep: 0) == 10)
    #expect(long.training.start.steps == 0 && long.model.constants.drawnMeanWeight == 0.1)
    let rates = [fast, long].map { configuration in
      let training = configuration.training
      return (0..<training.steps).map { training.optimizer.learningRate(atStep: $0, of: training.steps) }.max() ?? 0
    }
    #expect(rates[1] < rates[0])
    long.model = fast.model
    long.training = fast.training
    #expect(long == fast)
  }

  /// A checkpoint of an earlier program lacks what this one can do: it goes on as it was.
  @Test func byDefaultNothingIsOn() {
    let training = Configuration().training
    #expect(
      training.objective.elboWeight == 0 && training.gradientLimit == 0 && training.outputGradientLimit == 0
        && training.average == 0)
    #expect(training.start.steps == 0 && training.klWarmup.steps == 0 && !training.dependsOnLength)
    #expect(Configuration.named("paper")?.training.objective == ObjectiveConfiguration())
    let model = Configuration().model.constants
    #expect(!model.residualPrior && model.meanAppearanceWeight == 0 && model.drawnMeanWeight == 0)
  }

  @Test func aWarmUpEndsAtTheFullRate() {
    var schedule = ScheduleConfiguration()
    schedule.warmupSteps = 4
    #expect((0..<6).map { schedule.factor(atStep: $0, of: 6) } == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  // MARK: Resolved JSON

  @Test func resolvedJSONReadsBackEqual() throws {
    for preset in Configuration.presets {
      var configuration = try #require(Configuration.named(preset.name))
      configuration.training.seed = .max
      configuration.model.constants.outputStandardDeviation = 0.1
      configuration.training.optimizer.learningRate = 0.1 + 0.2
      configuration.data.train = "a \"quoted\"/päth.h5"
      let text = configuration.resolvedJSON
      let again = try Configuration(resolvedJSON: text, place: "test")
      #expect(again == configuration)
      #expect(again.resolvedJSON == text)
    }
  }

  @Test func theModelsConstantsAreFlatAndUnsetPathsAreNull() throws {
    let tree = try #require(
      JSONSerialization.jsonObject(with: Data(Configuration().resolvedJSON.utf8)) as? [String: [String: Any]])
    #expect(tree["model"]?["kind"] as? String == "sqair")
    #expect(tree["model"]?["hiddenSize"] as? Int == 256)
    #expect(tree["data"]?["train"] is NSNull)
  }

  @Test func aCheckpointWithoutALaterKeyTakesItsDefault() throws {
    let text = #"{"model": {"hiddenSize": 32}, "training": {"seed": 7}}"#
    let configuration = try Configuration(resolvedJSON: text, place: "test")
    #expect(configuration.model.constants.hidden == 32)
    #expect(configuration.training.seed == 7)
    #expect(configuration.training.optimizer == Configuration().training.optimizer)
  }

  // MARK: Layers

  @Test func laterLayersWin() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("mine.json")
    try """
    {"base": "quick", "training": {"batchSize": 8, "particles": 4, "seed": 18446744073709551615,
     "optimizer": {"schedule": {"boundaries": [0.5], "factors": [0.1]}}}}
    """.write(toFile: path, atomically: true, encoding: .utf8)
    let configuration = try Configuration.resolve(
      from: path,
      settings: ["training.batchSize=16", "training.particles=6", "training.particles=7", "data.train=a=b.h5"],
      override: { $0.training.batchSize = 24 })
    var expected = try #require(Configuration.named("quick"))
    expected.training.batchSize = 24
    expected.training.particles = 7
    expected.training.seed = .max
    expected.training.optimizer.schedule.boundaries = [0.5]
    expected.training.optimizer.schedule.factors = [0.1]
    expected.data.train = "a=b.h5"
    #expect(configuration == expected)
  }

  @Test func settingsTakeJSONOrWords() throws {
    let configuration = try Configuration.resolve(
      from: "quick",
      settings: [
        "training.optimizer.kind=rmsprop", #"training.vimco="published""#, "model.maskDiscovery=true",
        "training.steps=1e3", "training.frames={\"end\": 5}", "training.optimizer.clipNorm=10", "data.valid=v.h5",
        "data.valid=null", "training.optimizer.schedule.boundaries=[0.25, 0.5]",
        "training.optimizer.schedule.factors=[0.5,0.25]",
      ])
    #expect(configuration.training.optimizer.kind == .rmsprop)
    #expect(configuration.training.vimco == .published)
    #expect(configuration.model.constants.maskDiscovery)
    #expect(configuration.training.steps == 1_000)
    #expect(configuration.training.frames.start == 3 && configuration.training.frames.end == 5)
    #expect(configuration.training.optimizer.clipNorm == 10)
    #expect(configuration.data.valid == nil)
    #expect(configuration.training.optimizer.schedule.boundaries == [0.25, 0.5])
  }

  // MARK: Names of earlier versions

  @Test func everyOldKeyIsReadAsItsNewOne() throws {
    let current = ConfigurationTree(Configuration()).keyPaths
    // Values that differ from the defaults.
    let switches = ["model.masksFirstGlimpse": "false", "model.refinesPosition": "true"]
    for (old, new) in RenamedKeys.all {
      #expect(current.contains(new) && !current.contains(old), "\(old)")
      let value = switches[new] ?? "2"
      let text = "{\(old.split(separator: ".").map { "\"\($0)\"" }.joined(separator: ": {")): \(value)}}"
      let read = try Configuration(resolvedJSON: text, place: "an old checkpoint")
      #expect(read.differences(from: Configuration()).map(\.keyPath) == [new])
      // On the command line too, so that scripts of that version keep working.
      let set = try Configuration.resolve(settings: ["\(old)=\(value)"])
      let direct = try Configuration.resolve(settings: ["\(new)=\(value)"])
      #expect(set == direct && set != Configuration.named("fast"), "\(old)")
    }
  }

  @Test func theConfigurationOfAnOldCheckpointIsReadWhole() throws {
    let url = try #require(
      Bundle.module.url(forResource: "configuration-0.1.0", withExtension: "json", subdirectory: "Fixtures"))
    let text = try String(contentsOf: url, encoding: .utf8)
    let configuration = try Configuration(resolvedJSON: text, place: url.path)
    // Those that have another name now all differ from their defaults.
    #expect(configuration.model.constants.hidden == 32 && configuration.model.constants.slots == 4)
    #expect(configuration.model.constants.what == 8)
    #expect(configuration.training.batchSize == 9 && configuration.training.microbatches == 3)
    #expect(configuration.logging.interval == 1 && configuration.validation.interval == 7)
    #expect(configuration.validation.sequences == 24)
    #expect(configuration.pictures.interval == 8 && configuration.pictures.sequences == 2)
    #expect(configuration.generation.interval == 9 && configuration.checkpoint.interval == 4)
    #expect(configuration.data.train == "train.h5")
    #expect(try Configuration(resolvedJSON: configuration.resolvedJSON, place: "again") == configuration)
  }

  @Test func everyConstantOfTheModelHasAKey() throws {
    let constants = SQAIRConfiguration()
    let keys = try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(constants)) as? [String: Any]
    ).keys
    #expect(keys.count == Mirror(reflecting: constants).children.count)
  }

  // MARK: Resume

  @Test func differencesTellWhatMayChangeOnResume() throws {
    let old = Configuration()
    var new = old
    #expect(new.differences(from: old) == [])
    new.training.steps = 9
    new.training.batchSize = 16
    new.training.optimizer.adam.beta1 = 0.5
    new.logging.interval = 1
    new.checkpoint.keepLast = 9
    new.data.train = "moved.h5"
    new.data.builtin.seed = 1
    new.model.constants.hidden = 64
    let differences = new.differences(from: old)
    #expect(
      differences.map(\.description) == [
        "checkpoint.keepLast: 9, was 3",
        "data.builtin.seed: 1, was 0",
        #"data.train: "moved.h5", was null"#,
        "logging.interval: 1, was 10",
        "model.hiddenSize: 64, was 256",
        "training.batchSize: 16, was 32",
        "training.optimizer.adam.beta1: 0.5, was 0.9",
        "training.steps: 9, was 20000",
      ])
    #expect(
      differences.filter(\.mayChangeOnResume).map(\.keyPath) == [
        "checkpoint.keepLast", "data.train", "logging.interval", "training.steps",
      ])
  }
}
