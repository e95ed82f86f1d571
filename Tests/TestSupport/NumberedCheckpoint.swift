import Storage

/// Checkpoints whose every number tells which one they are, so that a mixture of two would show.
public enum NumberedCheckpoint {
  /// The one of a step: some 100 kB, the step in every element.
  public static func make(step: UInt64) -> Checkpoint {
    let arrays = ["a", "b"].map {
      NamedArray(name: $0, shape: [64, 100], values: [Float](repeating: Float(step), count: 6_400))
    }
    return Checkpoint(
      step: step, model: "none", seed: step, configuration: "{}", data: "step \(step)", software: "probe",
      parameters: arrays, optimizer: [.init(name: "ms", arrays: arrays)])
  }
}

extension FileSystem {
  /// The same with `before` called before each operation.
  ///
  /// - Parameter maximumWrite: bytes that a single write takes at most.
  public func watched(maximumWrite: Int = .max, _ before: @escaping @Sendable () -> Void) -> FileSystem {
    FileSystem(
      makeFolder: {
        before()
        try makeFolder($0)
      },
      open: {
        before()
        return try open($0)
      },
      write: {
        before()
        return try write($0, UnsafeRawBufferPointer(rebasing: $1.prefix(maximumWrite)))
      },
      synchronize: {
        before()
        try synchronize($0)
      },
      close: {
        before()
        try close($0)
      },
      rename: {
        before()
        try rename($0, $1)
      },
      remove: {
        before()
        try remove($0)
      },
      synchronizePath: {
        before()
        try synchronizePath($0)
      })
  }
}
