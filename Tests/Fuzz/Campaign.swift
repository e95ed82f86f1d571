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
    let seeds = try format.seeds(in: folder)
    var accepted = 0, refused = 0, unclear = 0, crashed = 0, hung = 0, done = 0
    let path = folder + "/" + format.fileName
    for number in 0..<mutations {
      if Date() > deadline { break }
      // Of the number, so that a finding can be made again without those before it.
      var random = SplitMix64(seed: seed &* 0x1000_0000_01B3 ^ UInt64(number))
      let bytes = Mutation.mutate(seeds[number % seeds.count], of: format, using: &random)
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      done += 1
      switch reader.read(path, as: format, seconds: Self.secondsPerFile) {
      case .accepted: accepted += 1
      case .refused(let message):
        refused += 1
        // An error must name the file, and must not carry control characters to a terminal.
        guard !message.contains(format.fileName) || message.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
          continue
        }
        unclear += 1
        try keep(bytes, format, number, "unclear error: \(message)")
      case .died(let code):
        crashed += 1
        try keep(bytes, format, number, "ended with code \(code)")
        reader = try Reader(errors: folder + "/errors")
      case .hung:
        hung += 1
        try keep(bytes, format, number, "no answer after \(Self.secondsPerFile) s")
        reader = try Reader(errors: folder + "/errors")
      }
    }
    mutationCount += done - unclear - crashed - hung
    findingCount += unclear + crashed + hung
    let name = format.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0)
    print(
      "\(name) \(done) mutations: \(accepted) accepted, \(refused) refused, of them \(unclear) unclearly, "
        + "\(crashed) crashed, \(hung) hung")
  }

  func stop() { reader.stop() }

  private func keep(_ bytes: [UInt8], _ format: InputFormat, _ number: Int, _ what: String) throws {
    try FileManager.default.createDirectory(atPath: findings, withIntermediateDirectories: true)
    let path = "\(findings)/\(format.rawValue)-\(seed)-\(number)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    print("finding: \(what)\n  see: fuzz --format \(format.rawValue) --input \(path)")
  }
}
