import Cluster
import Foundation

/// A loss or a gradient that is not finite: all processes refuse the update, with the same words.
package struct NonFiniteError: Error, CustomStringConvertible, Codable {
  /// What one process computed.
  package struct Finding: Codable {
    let rank: Int
    package let host: String
    /// Whether it is the loss of each of the sequences, or the gradient of all of them together.
    package let isLoss: Bool
    /// Numbers of sequences in the training file.
    package let sequences: [Int]

    var description: String {
      let names = sequences.prefix(12).map(String.init).joined(separator: ", ")
      let rest = sequences.count > 12 ? ", ... \(sequences.count) in all" : ""
      return "rank \(rank) on \(host) (\(isLoss ? "" : "among ")sequences \(names)\(rest))"
    }
  }

  /// Of the processes that found something, in rank order.
  package let findings: [Finding]
  /// Processes of the job.
  package let processes: Int

  /// Collects what the processes have found. All of them call this together.
  init(mine: Finding?, _ communicator: Communicator) throws {
    let text = try mine.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) } ?? ""
    let all = try communicator.broadcast(communicator.gather(text).filter { !$0.isEmpty }.joined(separator: ","))
    findings = try JSONDecoder().decode([Finding].self, from: Data("[\(all)]".utf8))
    processes = communicator.size
  }

  package var description: String {
    guard let first = findings.first else {
      return "the gradient is not finite, although that of every rank is: the sum overflows"
    }
    let places = findings.map(\.description).joined(separator: ", ")
    return "the \(first.isLoss ? "loss" : "gradient") is not finite on \(places)"
  }
}
