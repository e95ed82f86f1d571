import Foundation

/// A series of mutations, and what came of them.
struct Campaign {
  private(set) var mutationCount = 0
  private(set) var findingCount = 0
  private let folder: String
  private let findings: String
  private let seed: UInt64
  private var reader: Reader

  /// The longest that one small file may take.
  private static let secondsPerFile = 20.0

  init(folder: String, findings: String, seed: UInt64) throws {
    self.folder = folder
    self.findings = findings
    self.seed = seed
    reader = try Reader(errors: folder + "/errors")
  }

  /// Reads mutations of one format, prints how they ended, and keeps the files that did not end well.
  mutating func run(_ format: InputFormat, mutations: Int, until deadline: Date) throws {
    for (name, bytes) in try format.findings() {
      let (outcome, what) = try read(bytes, as: format)
      guard outcome != .accepted, outcome != .refused else { continue }
      findingCount += 1
      print("finding again: \(name): \(what)")
    }
    let seeds = try format.seeds(in: folder)
    let content = Content(folder: folder)
    var tally = Tally()
    for number in 0..<mutations {
      if Date() > deadline { break }
      // Of the number, so that a finding can be made again without those before it.
      var random = SplitMix64(seed: seed &* 0x1000_0000_01B3 ^ UInt64(number))
      let kind = Mutation.Kind.allCases[number % Mutation.Kind.allCases.count]
      let bytes =
        kind == .content
        ? try content.make(format, using: &random)
        : Mutation.mutate(seeds.randomElement(using: &random)!, of: format, kind, using: &random)
      let (outcome, what) = try read(bytes, as: format)
      tally.add(outcome, kind)
      if outcome != .accepted, outcome != .refused { try keep(bytes, format, number, what) }
    }
    mutationCount += tally.count([.accepted, .refused])
    findingCount += tally.count([.unclear, .crashed, .hung])
    for line in tally.lines(format) { print(line) }
  }

  /// Lets the reader read a file.
  private mutating func read(_ bytes: [UInt8], as format: InputFormat) throws -> (Tally.Outcome, what: String) {
    let path = folder + "/" + format.fileName
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    switch reader.read(path, as: format, seconds: Self.secondsPerFile) {
    case .accepted: return (.accepted, "")
    case .refused(let message):
      // An error must name the file, and must not carry control characters to a terminal.
      let isClear = message.contains(format.fileName) && !message.unicodeScalars.contains { $0.value < 0x20 }
      return (isClear ? .refused : .unclear, "unclear error: \(message)")
    case .died(let code):
      reader = try Reader(errors: folder + "/errors")
      return (.crashed, "ended with code \(code)")
    case .hung:
      reader = try Reader(errors: folder + "/errors")
      return (.hung, "no answer after \(Self.secondsPerFile) s")
    }
  }

  func stop() { reader.stop() }

  private func keep(_ bytes: [UInt8], _ format: InputFormat, _ number: Int, _ what: String) throws {
    try FileManager.default.createDirectory(atPath: findings, withIntermediateDirectories: true)
    let path = "\(findings)/\(format.rawValue)-\(seed)-\(number)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    print("finding: \(what)\n  see: fuzz --format \(format.rawValue) --input \(path)")
  }
}
