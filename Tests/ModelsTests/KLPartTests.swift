import Models
import Numerics
import Testing

/// The parts of log q - log p, on the golden sequences.
@Suite struct KLPartTests {
  private let file: GoldenFile

  init() throws { file = try GoldenFile() }

  /// Sums over all frames and rows by part, after a check that the parts of each row add up.
  private func totals(_ model: any SequenceModel) throws -> [KLPart: Double] {
    let tape = Tape()
    var frames: [FrameInference] = []
    model.infer(try file.batch(on: tape), noise: try GoldenNoise(inference: file), on: tape, into: &frames)
    let width = KLPart.allCases.count
    var totals: [KLPart: Double] = [:]
    for (t, frame) in frames.enumerated() {
      let parts = try #require(frame.klByPart())
      #expect(parts.count == file.rowCount * width)
      for row in 0..<file.rowCount {
        let own = parts[row * width..<(row + 1) * width]
        let whole = Double(frame.klEstimate(row))
        #expect(abs(own.reduce(0, +) - whole) <= 1e-4 * max(1, abs(whole)), "frame \(t), row \(row)")
      }
      for part in KLPart.allCases {
        totals[part, default: 0] += (0..<file.rowCount).reduce(0) { $0 + abs(parts[$1 * width + part.rawValue]) }
      }
    }
    return totals
  }

  @Test func thePartsAddUp() throws {
    let totals = try totals(file.model())
    for part in KLPart.allCases { #expect(totals[part]! > 0, "\(part)") }
  }

  @Test func airPropagatesNothing() throws {
    let totals = try totals(AIRModel(configuration: file.configuration))
    for part in [KLPart.propagatedWhat, .propagatedWhere, .propagatedPresence] { #expect(totals[part] == 0) }
    #expect(totals[.discoveredPresence]! > 0)
  }
}
