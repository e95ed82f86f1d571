/// What went wrong while making moving digits: what, where, and what to do next, in one ready text.
public struct MovingDigitsError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
