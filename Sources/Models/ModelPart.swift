import Numerics

/// The parts of a model whose time and arithmetic are measured separately.
public enum ModelPart: Int, CaseIterable, Sendable {
  case imageEncoder, propagation, propagationPrior, discovery, discoveryPrior, merging, decoder, likelihood
  /// Latent variables and state of a model without objects.
  case recurrence
  /// Log weights, loss and metrics, and everything else that is not the model's.
  case objective

  public var name: String {
    switch self {
    case .imageEncoder: "image encoder"
    case .propagation: "propagation"
    case .propagationPrior: "propagation prior"
    case .discovery: "discovery"
    case .discoveryPrior: "discovery prior"
    case .merging: "merging"
    case .decoder: "decoder"
    case .likelihood: "likelihood"
    case .recurrence: "recurrence"
    case .objective: "objective"
    }
  }
}

extension Tape {
  /// Says which part the coming operations belong to; for `profile`.
  public func enter(_ part: ModelPart) { enter(part: part.rawValue) }
}
