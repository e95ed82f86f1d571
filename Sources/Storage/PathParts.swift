import Foundation

/// The folder part of a path; `.` where there is none.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The folder that a path lies in, whether it ends with "/" or not; "." for a single name, "/" for itself.
///
/// Foundation's own traps where the path is one character.
public func parentFolder(of path: String) -> String {
  let trimmed = path.reversed().drop { $0 == "/" }.reversed()
  return trimmed.isEmpty ? (path.isEmpty ? "." : "/") : folder(of: String(trimmed))
}

/// The first of `start1`, `start2`, ... that names nothing, not even a broken link.
package func unusedPath(startingWith start: String) -> String {
  var number = 1
  var status = stat()
  while lstat("\(start)\(number)", &status) == 0 { number += 1 }
  return "\(start)\(number)"
}

/// The last part of a path.
func fileName(of path: String) -> String {
  String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
}
