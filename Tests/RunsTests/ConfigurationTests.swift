import Foundation
import Models
import Runs
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  // MARK: Presets

  @Test func everyPresetValidates() {
    #expect(Configuration.presets.map(\.name) == ["fast", "quick", "pedestrians", "paper"])
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

  /// A checkpoint of an earlier program lacks what this one can do: it goes on as it was.
  @Test func byDefaultNothingIsOn() {
    let training = Configuration().training
    #expect(training.objective.elboWeight == 0 && training.gradientLimit == 0 && training.average == 0)
    #expect(training.start.steps == 0 && training.klWarmup.steps == 0 && !training.dependsOnLength)
    #expect(Configuration.named("paper")?.training.objective == ObjectiveConfiguration())
    let model = Configuration().model.constants
    #expect(!model.residualPrior && model.meanAppearanceWeight == 0)
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

  // MARK: Errors

  /// (arguments of --set) -> (the whole message).
  static let wrongSettings: [(String, String)] = [
    (
      "training.optimizer.learnRate=1",
      "--set training.optimizer.learnRate=1: unknown key training.optimizer.learnRate; "
        + "did you mean training.optimizer.learningRate?"
    ),
    (
      "training.optimiser.learning_rate=1",
      "--set training.optimiser.learning_rate=1: unknown key training.optimiser.learning_rate; "
        + "did you mean training.optimizer.learningRate?"
    ),
    (
      "learningRate=1",
      "--set learningRate=1: unknown key learningRate; did you mean training.optimizer.learningRate?"
    ),
    ("batchsize=1", "--set batchsize=1: unknown key batchsize; did you mean training.batchSize?"),
    ("model.hiddenSise=1", "--set model.hiddenSise=1: unknown key model.hiddenSise; did you mean model.hiddenSize?"),
    ("training={\"shares\": 8}", "--set training={\"shares\": 8}: training.shares is now called training.microbatches"),
    (
      "training={\"seed\": 8, \"seed\": 9}",
      "--set training={\"seed\": 8, \"seed\": 9}: seed is given twice, again in line 1: join the two into one"
    ),
    ("colour=red", "--set colour=red: unknown key colour"),
    ("training.batchSize", "--set training.batchSize: expected KEY=VALUE, as in --set training.batchSize=16"),
    ("=3", "--set =3: expected KEY=VALUE, as in --set training.batchSize=16"),
    (
      "training.batchSize=many",
      "--set training.batchSize=many: training.batchSize: expected a whole number, given the string \"many\""
    ),
    ("training.batchSize=2.5", "--set training.batchSize=2.5: training.batchSize: expected a whole number, given 2.5"),
    (
      "training.batchSize=null",
      "--set training.batchSize=null: training.batchSize: expected a whole number, given null"
    ),
    (
      "training.batchSize=true",
      "--set training.batchSize=true: training.batchSize: expected a whole number, given true"
    ),
    ("training.seed=-1", "--set training.seed=-1: training.seed: out of range: -1"),
    (
      "training.optimizer.learningRate=fast",
      "--set training.optimizer.learningRate=fast: training.optimizer.learningRate: expected a number, "
        + "given the string \"fast\""
    ),
    (
      "model.maskDiscovery=1",
      "--set model.maskDiscovery=1: model.maskDiscovery: expected true or false, given 1"
    ),
    ("data.train=3", "--set data.train=3: data.train: expected a string, given 3"),
    (
      "training.optimizer.schedule.factors=0.5",
      "--set training.optimizer.schedule.factors=0.5: training.optimizer.schedule.factors: "
        + "expected a list, given 0.5"
    ),
    (
      "training.optimizer.schedule.factors=[1,\"a\"]",
      "--set training.optimizer.schedule.factors=[1,\"a\"]: training.optimizer.schedule.factors[1]: "
        + "expected a number, given the string \"a\""
    ),
    (
      "training.optimizer=adam",
      "--set training.optimizer=adam: training.optimizer: expected an object { ... }, given the string \"adam\""
    ),
    (
      "training.batchSize={\"a\":1}",
      "--set training.batchSize={\"a\":1}: training.batchSize: expected a value such as 32, given an object"
    ),
    (
      "training.optimizer={\"knd\":1}",
      "--set training.optimizer={\"knd\":1}: unknown key training.optimizer.knd; "
        + "did you mean training.optimizer.kind?"
    ),
    (
      "training.optimizer.kind=adm",
      "--set training.optimizer.kind=adm: training.optimizer.kind: unknown value \"adm\"; did you mean adam? "
        + "(known: adam, rmsprop)"
    ),
    (
      "model.kind=dair",
      "--set model.kind=dair: model.kind: unknown value \"dair\"; did you mean air? (known: sqair, air, vrnn)"
    ),
    ("model.encoder=cnn", "--set model.encoder=cnn: model.encoder: unknown value \"cnn\" (known: mlp, conv)"),
    ("training.batchSize=0", "training.batchSize must be at least 1, not 0"),
    (
      "training.particles=1",
      "training.particles must be at least 2, not 1: the control variate compares each particle with the others"
    ),
    ("training.frames.end=2", "training.frames.end must not be less than frames.start (4), not 2"),
    (
      "training.objective.elboWeight=0.5",
      "training.objective.sticksTheLanding needs weights that are 0 or 1, not [0.5]: it would bias the IWAE part of a "
        + "mixture"
    ),
    ("training.objective.elboWeights=[1]", "training.objective.elboWeights must be as many as boundaries (0), not 1"),
    ("training.gradientLimit=-1", "training.gradientLimit must be at least 0 (0 = off), not -1.0"),
    ("training.average=1", "training.average must be at least 0 (0 = off) and below 1, not 1.0"),
    ("training.start.particles=1", "training.start.particles must be at least 2, not 1"),
    (
      "training.particleSchedule={\"boundaries\":[0.5],\"values\":[1]}",
      "training.particleSchedule.values must be at least 2, not [1]"
    ),
    (
      "training.optimizer.schedule.decay=cosin",
      "--set training.optimizer.schedule.decay=cosin: training.optimizer.schedule.decay: unknown value \"cosin\"; "
        + "did you mean cosine? (known: none, linear, cosine)"
    ),
    (
      "checkpoint.keepLast=1",
      "checkpoint.keepLast must be at least 2, so that a damaged file does not end a run, not 1"
    ),
    ("training.optimizer.learningRate=0", "training.optimizer.learningRate must be above 0, not 0.0"),
    (
      "training.optimizer.schedule.boundaries=[0.5]",
      "training.optimizer.schedule.factors must be as many as boundaries (1), not 8"
    ),
    ("model.hiddenSize=33", "model: hiddenSize must be even and at least 2, not 33"),
  ]

  @Test(arguments: wrongSettings)
  func aWrongSettingSaysWhatAndWhereAndWhatToWrite(setting: String, message: String) {
    #expect(Self.message { try Configuration.resolve(settings: [setting]) } == message)
  }

  /// (contents of the file) -> (what follows the file's name).
  static let wrongFiles: [(String, String)] = [
    ("{\"training\": {\n\"batch\": }}", "not valid JSON: Invalid value in line 2, column 10"),
    ("", "the file is empty; {} would change nothing"),
    ("[1]", "expected an object { ... }, given the list [1]"),
    (
      #"{"base": "quik"}"#,
      #"base: unknown preset "quik"; did you mean quick? (known: fast, quick, pedestrians, paper)"#
    ),
    (#"{"base": 3}"#, "base: expected the name of a preset (fast, quick, pedestrians, paper), given 3"),
    (
      #"{"training": {"steps": 5}, "model": {"kind": "air"}, "training": {"seed": 3}}"#,
      "training is given twice, again in line 1: join the two into one"
    ),
    (
      #"""
      {"model": {"kind": "air", "k\u0069nd": "sqair"},
       "training": {"optimizer": {"adam": {}, "kind": "adam", "adam": {}}}}
      """#,
      """

        model.kind is given twice, again in line 1: join the two into one
        training.optimizer.adam is given twice, again in line 2: join the two into one
      """
    ),
    (
      #"{"training": {"shares": 4, "microbatches": 8}}"#,
      "training.shares is the old name of training.microbatches: give only the latter"
    ),
    (
      #"{"logging": {"validateEvery": "often"}}"#,
      "validation.interval: expected a whole number, given the string \"often\""
    ),
    (#"{"training": 3}"#, "training: expected an object { ... }, given 3"),
    (
      #"{"training.batchSize": 3}"#,
      #"training.batchSize: nest the objects: { "training": { "batchSize": 16 } }"#
    ),
    (#"{"optimizer": {"kind": "adam"}}"#, "unknown key optimizer; did you mean training.optimizer?"),
    (
      #"{"training": {"batchSise": 1, "optimizer": {"rmsprop": {"decy": 1}}}}"#,
      """

        unknown key training.batchSise; did you mean training.batchSize?
        unknown key training.optimizer.rmsprop.decy; did you mean training.optimizer.rmsprop.decay?
      """
    ),
    (
      #"{"training": {"batchSize": "x", "steps": 1.5, "vimco": "textbok", "seed": 3}}"#,
      """

        training.batchSize: expected a whole number, given the string "x"
        training.steps: expected a whole number, given 1.5
        training.vimco: unknown value "textbok"; did you mean textbook? (known: textbook, published)
      """
    ),
  ]

  @Test(arguments: wrongFiles)
  func aWrongFileSaysWhatAndWhere(contents: String, message: String) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("wrong.json")
    try contents.write(toFile: path, atomically: true, encoding: .utf8)
    let given = Self.message { try Configuration.resolve(from: path) }
    let separator = message.hasPrefix("\n") ? ":" : ": "
    #expect(given == "configuration file \(path)\(separator)\(message)")
  }

  @Test func anUnknownSourceListsThePresets() {
    #expect(
      Self.message { try Configuration.resolve(from: "papr") }
        == #"unknown configuration "papr"; did you mean paper? "#
        + "(known: fast, quick, pedestrians, paper, or the path of a JSON file)")
    #expect(
      Self.message { try Configuration.resolve(from: "no/such.json") }
        .hasPrefix("configuration file no/such.json: cannot be read: "))
  }

  @Test func aSourceThatIsNoFileSaysSo() throws {
    let folder = try TemporaryDirectory()
    try "".write(toFile: folder.path("empty.json"), atomically: false, encoding: .utf8)
    for (path, problem) in [
      ("/dev/null", "this is a device, not a file; give a JSON file or a preset"),
      (folder.path("empty.json"), "the file is empty; {} would change nothing"),
      (folder.path, "this is a folder; give the JSON file inside it"),
    ] {
      #expect(
        Self.message { try Configuration.resolve(from: path) } == "configuration file \(path): \(problem)")
    }
  }

  @Test func dataAreOneFileOrAList() throws {
    func resolve(_ value: String) throws -> Configuration { try .resolve(settings: ["data.train=\(value)"]) }
    let several = try resolve(#"["b-*.h5", "a.h5"]"#)
    #expect(several.data.train == DataFiles(["b-*.h5", "a.h5"]))
    #expect(try Configuration(resolvedJSON: several.resolvedJSON, place: "test") == several)
    // Earlier programs know a string only.
    #expect(try resolve(#"["a.h5"]"#).resolvedJSON.contains(#""train" : "a.h5""#))
    for (value, message) in [
      (#"["a.h5", 3]"#, "data.train[1]: expected a string, given 3"), ("{}", "data.train: expected "),
      ("[]", "data.train must not be empty"), (#"["a.h5", ""]"#, "data.train must not be empty"),
    ] {
      #expect(Self.message { try resolve(value) }.contains(message), "\(value)")
    }
  }

  @Test func severalReasonsAreToldAtOnce() {
    #expect(
      Self.message { try Configuration.resolve(settings: ["training.batchSize=0", "logging.interval=-1"]) } == """
        the configuration cannot be used:
          training.batchSize must be at least 1, not 0
          logging.interval must be at least 0 (0 = only after the last update), not -1
        """)
  }

  @Test func aFileOfAnotherKindIsNotAnsweredKeyByKey() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("other.json")
    let members = (0..<50_000).map { "\"training.optimizer.rule\($0)\": \($0)" }
    try "{\(members.joined(separator: ", "))}".write(toFile: path, atomically: true, encoding: .utf8)
    let lines = Self.message { try Configuration.resolve(from: path) }.split(separator: "\n")
    #expect(lines.count == 22)
    #expect(lines.last == "  and 49980 more")
  }

  // MARK: Names of earlier versions

  @Test func everyOldKeyIsReadAsItsNewOne() throws {
    let current = ConfigurationTree(Configuration()).keyPaths
    for (old, new) in RenamedKeys.all {
      #expect(current.contains(new) && !current.contains(old), "\(old)")
      let value = "{\(old.split(separator: ".").map { "\"\($0)\"" }.joined(separator: ": {")): 2}}"
      let read = try Configuration(resolvedJSON: value, place: "an old checkpoint")
      #expect(read.differences(from: Configuration()).map(\.keyPath) == [new])
      // On the command line too, so that scripts of that version keep working.
      let set = try Configuration.resolve(settings: ["\(old)=2"])
      let direct = try Configuration.resolve(settings: ["\(new)=2"])
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

  private static func message(_ body: () throws -> Configuration) -> String {
    do {
      _ = try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  // MARK: Files

  /// The error of a configuration file with this content.
  private func refusal(_ text: String) throws -> String {
    let folder = try TemporaryDirectory()
    let path = folder.path("mine.json")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: ConfigurationError.self) { try Configuration.resolve(from: path) }
    return error.description.replacing(path, with: "FILE")
  }

  @Test func aFileIsNamedInItsErrors() throws {
    #expect(
      try refusal(#"{"training":{"optimizer":{"rmsprop":{"decay":1e308}}}}"#)
        .hasPrefix("configuration file FILE: training.optimizer.rmsprop.decay must be"))
    #expect(try refusal(#"{"training":{"batchSize":0,"microbatches":-1}}"#).hasPrefix("configuration file FILE:\n"))
  }

  @Test func keysOfAFileCannotSteerATerminal() throws {
    let text = try refusal(#"{"training":{"\u001b[2J":1}}"#)
    #expect(text.contains(#"unknown key training.\u{1B}[2J"#), "\(text)")
  }
}
