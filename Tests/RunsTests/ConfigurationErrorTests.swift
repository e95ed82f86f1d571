import Foundation
import Runs
import TestSupport
import Testing

/// What is said of settings and configuration files that cannot be used.
@Suite struct ConfigurationErrorTests {
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
    (
      "training.precision=bf61",
      "--set training.precision=bf61: training.precision: unknown value \"bf61\"; did you mean bf16? (known: float32, bf16)"
    ),
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
    ("training.outputGradientLimit=-1", "training.outputGradientLimit must be at least 0 (0 = off), not -1.0"),
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
    ("model.drawnMeanWeight=1.5", "model: drawnMeanWeight must be from 0 to 1, not 1.5"),
  ]

  @Test(arguments: wrongSettings)
  func aWrongSettingSaysWhatAndWhereAndWhatToWrite(setting: String, message: String) {
    #expect(Self.message { try Configuration.resolve(settings: [setting]) } == message)
  }

  @Test func aMeanThatIsDrawnMustBeKept() {
    let settings = ["model.drawnMeanWeight=0.5", "model.meanAppearanceWeight=0"]
    #expect(
      Self.message { try Configuration.resolve(settings: settings) }
        == "model: drawnMeanWeight 0.5 needs a meanAppearanceWeight above 0, without which no mean is kept")
  }

  /// (contents of the file) -> (what follows the file's name).
  static let wrongFiles: [(String, String)] = [
    ("{\"training\": {\n\"batch\": }}", "not valid JSON: Invalid value in line 2, column 10"),
    ("", "the file is empty; {} would change nothing"),
    ("[1]", "expected an object { ... }, given the list [1]"),
    (
      #"{"base": "quik"}"#,
      #"base: unknown preset "quik"; did you mean quick? (known: fast, long, quick, pedestrians, paper)"#
    ),
    (#"{"base": 3}"#, "base: expected the name of a preset (fast, long, quick, pedestrians, paper), given 3"),
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
        + "(known: fast, long, quick, pedestrians, paper, or the path of a JSON file)")
    #expect(
      Self.message { try Configuration.resolve(from: "no/such.json") }
        .hasPrefix("configuration file no/such.json: cannot be read: "))
  }

  /// As `--config <(...)` of a shell gives it, which can be read once.
  @Test(arguments: [
    (#"{"base": "quick", "training": {"batchSize": 8}}"#, "no error"),
    (#"{"training": {"batchSize": 0}}"#, "configuration file PIPE: training.batchSize must be at least 1, not 0"),
  ])
  func aPipeIsRead(text: String, message: String) throws {
    var ends: [Int32] = [-1, -1]
    let status = pipe(&ends)
    try #require(status == 0)
    // A program that another test starts meanwhile would keep the pipe open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let bytes = Array(text.utf8)
    #expect(write(ends[1], bytes, bytes.count) == bytes.count)
    close(ends[1])
    let path = "/dev/fd/\(ends[0])"
    let expected = message.replacing("PIPE", with: path)
    #expect(Self.message { try Configuration.resolve(from: path) } == expected)
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

  private static func message(_ body: () throws -> Configuration) -> String {
    do {
      _ = try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

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
