import Foundation

/// Runs Python scripts that read what the room wrote, so that a second, independent reader agrees.
enum Python {
  /// Whether `python3` is on the path and can import the module.
  static func has(module: String) -> Bool {
    (try? run("import \(module)", [])) != nil
  }

  /// Runs a script with arguments; returns its standard output. Throws with its complaint when it fails.
  static func run(_ script: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    let (output, complaint) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, complaint)
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let error = complaint.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: error, as: UTF8.self))
    }
    return String(decoding: text, as: UTF8.self)
  }

  struct Failure: Error, CustomStringConvertible { let description: String }
}
