import Foundation

/// The operations that a room's sources declare, for a test that none is left out of the room's list.
package func operations(declaredIn folder: String, testFile: String = #filePath) throws -> Set<String> {
  let sources = URL(fileURLWithPath: testFile).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/\(folder)")
  var found: Set<String> = []
  for file in try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil) {
    let text = try String(contentsOf: file, encoding: .utf8)
    for match in text.matches(of: /struct (\w+): ExampledOperation\b/) { found.insert(String(match.1)) }
  }
  return found
}
