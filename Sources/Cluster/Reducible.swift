/// A number that ranks can add and compare.
public protocol Reducible: Sendable {
  /// The type's name between ranks.
  static var element: ReducibleElement { get }
}

/// The number types that travel between ranks.
public enum ReducibleElement: Sendable { case float, double, int64 }

extension Float: Reducible { public static var element: ReducibleElement { .float } }
extension Double: Reducible { public static var element: ReducibleElement { .double } }
extension Int64: Reducible { public static var element: ReducibleElement { .int64 } }

/// How two values of the same place on different ranks become one.
enum ReductionOperation: Sendable { case sum, maximum, minimum }
