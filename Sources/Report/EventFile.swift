import Foundation

/// A TensorBoard event file: scalars and pictures over the steps of a run.
///
/// The file is a row of TFRecords (length, checksum of the length, event, checksum of the event),
/// the events are protocol buffers (`events.proto`). Each record is with the kernel before `write`
/// returns, so `tensorboard --logdir` may look on while the run goes.
///
/// A resumed run starts a new file, whose name sorts behind the older ones, with a START mark.
/// TensorBoard then discards events of the older files for the steps that are done again: the curves
/// show no zig-zag.
public final class EventFile {
  /// Where the file lies: `<folder>/events.out.tfevents.<seconds since 1970>.<host>`.
  public let path: String
  private let file: OutputFile
  private let now: () -> Double

  /// Starts an event file in a folder; makes the folder when it is not there.
  ///
  /// - Parameters:
  ///   - folder: what `tensorboard --logdir` will be given.
  ///   - step: finished updates of the checkpoint that the run resumes from; nil for a fresh run.
  ///     What older files in the folder say of later steps (of any step, when nil) is void.
  ///   - host: name of this machine, for the file's name.
  ///   - now: the clock, in seconds since 1970.
  public init(
    folder: String, resumingAfter step: UInt64?, host: String = ProcessInfo.processInfo.hostName,
    now: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    self.now = now
    let older: [String]
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      older = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw ReportError(
        "Cannot use the folder '\(folder)' for event files: \(error.localizedDescription) "
          + "Check its permissions, or choose another folder.")
    }
    // Readers take the files in the order of their names. Two starts within a second, or on
    // machines whose clocks differ, must not swap: the number is always above all older ones.
    let latest = older.compactMap(Self.seconds(inName:)).max() ?? 0
    let clock = now()
    let seconds = max(Int(min(max(clock.isFinite ? clock : 0, 0), Double(Self.largest))), latest + 1)
    (path, file) = try Self.make("\(folder)/\(Self.prefix)", seconds, host)
    try append(.fileVersion("brain.Event:2"), step: 0)
    try append(.start, step: step.map { $0 + 1 } ?? 0)
  }

  private static let prefix = "events.out.tfevents."

  private static func seconds(inName name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    return Int(name.dropFirst(prefix.count).prefix { $0.isNumber }).map { min($0, largest) }
  }

  /// The number in a name has ten digits, so that names sort as numbers do; it is reached in the year 2286, or by a
  /// clock that is wrong.
  private static let largest = 9_999_999_999

  /// Makes the file. With the largest number a second one keeps names apart and in order.
  private static func make(_ start: String, _ seconds: Int, _ host: String) throws -> (String, OutputFile) {
    let digits = padded(min(seconds, largest), to: 10)
    if seconds < largest {
      let path = "\(start)\(digits).\(host)"
      return (path, try OutputFile(path: path, mustBeNew: true))
    }
    var number = 1
    while true {
      let path = "\(start)\(digits).\(padded(number, to: 6)).\(host)"
      if !FileManager.default.fileExists(atPath: path) { return (path, try OutputFile(path: path, mustBeNew: true)) }
      number += 1
    }
  }

  private static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Writes numbers of one step as one event. The part of a tag before a slash groups charts.
  public func write(_ scalars: [(name: String, value: Double)], step: UInt64) throws {
    try append(.scalars(scalars.map { ($0.name, Float($0.value)) }), step: step)
  }

  /// Writes a picture of one step.
  public func write(_ picture: EncodedPicture, name: String, step: UInt64) throws {
    try append(.image(tag: name, height: picture.height, width: picture.width, png: picture.png), step: step)
  }

  private func append(_ content: EventMessage.Content, step: UInt64) throws {
    let message = EventMessage(wallTime: now(), step: Int64(clamping: step), content: content)
    try file.append(Self.record(message.encoded()))
  }

  /// The frame of a TFRecord around `data`.
  static func record(_ data: [UInt8]) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    let length = bytes(UInt64(data.count))
    return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
  }
}
