import CZlib
import Foundation
import Runs
import Storage
import TestSupport

/// Files that are intact as files of their kind, with checksums and digests that hold, and whose content is wrong:
/// other types and shapes, numbers at which programs fail, names that do not fit.
struct Content {
  private let folder: String
  private let checkpoint: Checkpoint

  init(folder: String) {
    self.folder = folder
    checkpoint = ToyInputs.checkpoint
  }

  func make(_ format: InputFormat, using random: inout SplitMix64) throws -> [UInt8] {
    switch format {
    case .sequences: try sequences(using: &random)
    case .checkpoint: checkpoint(using: &random)
    case .configuration: try configuration(using: &random)
    case .idx: try digits(using: &random)
    case .metrics: metrics(using: &random)
    }
  }

  private static let numbers: [Double] = [
    0, -0.0, 1, -1, 0.5, 255, 256, 1e-45, 1e-320, 3.5e38, 1e308, -1e308, .infinity, -.infinity, .nan, 0x1p31, 0x1p53,
    0x1p63, 0x1p64,
  ]

  private static let texts = [
    "", "sqair", "x", "\u{1B}[2J\u{202E}", "..", "/", "ä\u{301}", String(repeating: "n", count: 5_000),
  ]

  // MARK: Sequences

  /// A data set as the format wants it, or of another type, or of another shape.
  private struct DataSet {
    var path: String
    var shape: [Int]
    var type: Int
  }

  private func sequences(using random: inout SplitMix64) throws -> [UInt8] {
    let (n, t, h, w, m) = (
      Int.random(in: 1...4, using: &random), Int.random(in: 1...3, using: &random), 8,
      [8, 6].randomElement(using: &random)!,
      2
    )
    // UInt8 is 0, Float 1, Int32 2.
    var sets = [
      DataSet(path: "/frames", shape: [n, t, h, w], type: 0), DataSet(path: "/mean", shape: [h, w], type: 1),
      DataSet(path: "/counts", shape: [n, t], type: 0), DataSet(path: "/boxes", shape: [n, t, m, 4], type: 1),
      DataSet(path: "/ids", shape: [n, t, m], type: 2), DataSet(path: "/labels", shape: [n, m], type: 0),
      DataSet(path: "/visible", shape: [n, t, m], type: 1), DataSet(path: "/ink", shape: [n, m, 6, 6], type: 0),
      DataSet(path: "/bars", shape: [n, 1, 4], type: 1), DataSet(path: "/unoccluded", shape: [n, t, h, w], type: 0),
    ]
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let index = Int.random(in: sets.indices, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: sets[index].type = Int.random(in: 0..<6, using: &random)
      case 1: sets[index].shape[0] += [1, 7].randomElement(using: &random)!
      case 2: sets[index].shape.append(1)
      case 3: sets[index].shape = sets[index].shape.reversed()
      default: sets.remove(at: index)
      }
    }
    let usesOddNumbers = Bool.random(using: &random)
    let path = folder + "/content.h5"
    let file = try HDF5File(creating: path)
    try file.setAttribute(
      "format",
      to: Int.random(in: 0..<8, using: &random) > 0 ? "sqair-dist/sequences" : Self.texts.randomElement(using: &random)!
    )
    if Int.random(in: 0..<8, using: &random) > 0 {
      try file.setAttribute("version", to: Int64(1))
    } else {
      try file.setAttribute("version", to: Self.numbers.randomElement(using: &random)!)
    }
    if Bool.random(using: &random) { try file.setAttribute("source", to: Self.texts.randomElement(using: &random)!) }
    for set in sets {
      let count = set.shape.reduce(1, *)
      let values = (0..<count).map { _ -> Double in
        usesOddNumbers && Int.random(in: 0..<20, using: &random) == 0
          ? Self.numbers.randomElement(using: &random)! : Double.random(in: 0...(set.type == 1 ? 1 : 3), using: &random)
      }
      switch set.type {
      case 0: try file.write(values.map { UInt8(clamping: Self.whole(200 * $0)) }, shape: set.shape, to: set.path)
      case 1: try file.write(values.map(Float.init), shape: set.shape, to: set.path)
      case 2: try file.write(values.map { Int32(clamping: Self.whole($0 - 1)) }, shape: set.shape, to: set.path)
      case 3: try file.write(values, shape: set.shape, to: set.path)
      case 4: try file.write(values.map { UInt64(clamping: Self.whole($0)) }, shape: set.shape, to: set.path)
      default: try file.write(values.map { Int64(Self.whole($0)) }, shape: set.shape, to: set.path)
      }
    }
    try file.close()
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static func whole(_ value: Double) -> Int { Int(exactly: value.rounded()) ?? (value > 0 ? .max : .min) }

  // MARK: Checkpoints

  /// A checkpoint whose digest is right.
  private func checkpoint(using random: inout SplitMix64) -> [UInt8] {
    while true {
      var (step, model, seed) = (checkpoint.step, checkpoint.model, checkpoint.seed)
      var configuration = checkpoint.configuration
      var (parameters, optimizer) = (checkpoint.parameters, checkpoint.optimizer)
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: step = Mutation.edgeValues.randomElement(using: &random)!
        case 1: model = (["air", "vrnn"] + Self.texts).randomElement(using: &random)!
        case 2: seed = Mutation.edgeValues.randomElement(using: &random)!
        case 3:
          var bytes = Array(configuration.utf8)
          Mutation.changeText(&bytes, using: &random)
          configuration = String(decoding: bytes, as: UTF8.self).replacing("\0", with: "")
        case 4: change(&parameters, using: &random)
        default:
          guard let slot = optimizer.indices.randomElement(using: &random) else { continue }
          switch Int.random(in: 0..<3, using: &random) {
          case 0: optimizer.remove(at: slot)
          case 1: optimizer[slot].name = ["average", "m", "x"].randomElement(using: &random)!
          default: change(&optimizer[slot].arrays, using: &random)
          }
        }
      }
      let changed = Checkpoint(
        step: step, model: model, seed: seed, configuration: configuration, data: checkpoint.data,
        software: checkpoint.software, parameters: parameters, optimizer: optimizer)
      // Not all names can be written.
      if let bytes = try? changed.encoded(as: "input.h5") { return bytes }
    }
  }

  private func change(_ arrays: inout [NamedArray], using random: inout SplitMix64) {
    let index = Int.random(in: arrays.indices, using: &random)
    let array = arrays[index]
    switch Int.random(in: 0..<6, using: &random) {
    case 0: arrays.remove(at: index)
    case 1: arrays[index].name = Self.texts.randomElement(using: &random)!
    case 2: arrays.append(NamedArray(name: array.name + "2", shape: array.shape, values: array.values))
    case 3: arrays[index] = NamedArray(name: array.name, shape: array.shape.reversed(), values: array.values)
    case 4: arrays[index] = NamedArray(name: array.name, shape: [array.values.count], values: array.values)
    default:
      let place = Int.random(in: array.values.indices, using: &random)
      arrays[index].values[place] = Float(Self.numbers.randomElement(using: &random)!)
    }
  }

  // MARK: Text

  /// A complete configuration with some values replaced.
  private func configuration(using random: inout SplitMix64) throws -> [UInt8] {
    let preset = Configuration.presets.randomElement(using: &random)!
    var tree = try JSONSerialization.jsonObject(with: Data(Configuration.named(preset.name)!.resolvedJSON.utf8))
    for _ in 0..<Int.random(in: 1...3, using: &random) { tree = Self.replacingLeaf(of: tree, using: &random) }
    return [UInt8](try JSONSerialization.data(withJSONObject: tree))
  }

  private static func replacingLeaf(of tree: Any, using random: inout SplitMix64) -> Any {
    guard var members = tree as? [String: Any], let key = members.keys.sorted().randomElement(using: &random) else {
      let finite = numbers.filter(\.isFinite)
      let values: [Any] = [
        finite.randomElement(using: &random)!, Int.max, Int.min, UInt64.max, true, NSNull(),
        texts.randomElement(using: &random)!,
        [finite.randomElement(using: &random)!, 0.5], [Any](), [String: Any](),
      ]
      return values.randomElement(using: &random)!
    }
    members[key] = replacingLeaf(of: members[key]!, using: &random)
    return members
  }

  private func metrics(using random: inout SplitMix64) -> [UInt8] {
    let keys = ["step", "train/bound", "valid/bound", "train/kl", "", "\\u0000", "a\\\"b"]
    let values = Self.numbers.map { $0.isFinite ? "\($0)" : "null" } + ["\"x\"", "[1]", "{}", "-", "1e400", "١"]
    return Array(
      (0..<20).map { line -> String in
        let pairs = (0..<Int.random(in: 0...4, using: &random)).map { _ in
          "\"\(keys.randomElement(using: &random)!)\":\(values.randomElement(using: &random)!)"
        }
        return "{" + (["\"step\":\(line)"] + pairs).shuffled(using: &random).joined(separator: ",") + "}"
      }.joined(separator: ["\n", "\r\n", "\n\n"].randomElement(using: &random)!).utf8)
  }

  // MARK: Digits

  /// An IDX file of any shape, half of the time compressed.
  private func digits(using random: inout SplitMix64) throws -> [UInt8] {
    let sizes: [UInt32] = [0, 1, 3, 28, 64, 255, 65_536, 0x7FFF_FFFF, 0xFFFF_FFFF]
    let shape = [3, [28, 1, 64].randomElement(using: &random)!, 28].map { size -> UInt32 in
      Int.random(in: 0..<6, using: &random) == 0 ? sizes.randomElement(using: &random)! : UInt32(size)
    }
    let announced = shape.reduce(1.0) { $0 * Double($1) }
    let count = announced < 1e5 ? Int(announced) + [0, 0, 0, -1, 1].randomElement(using: &random)! : 1_000
    var bytes: [UInt8] = [0, 0, 8, 3]
    for size in shape {
      for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: size >> shift)) }
    }
    for _ in 0..<max(0, count) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
    guard Bool.random(using: &random) else { return bytes }
    let path = folder + "/content.gz"
    guard let file = gzopen(path, "wb1") else { return bytes }
    gzwrite(file, bytes, UInt32(bytes.count))
    gzclose(file)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
