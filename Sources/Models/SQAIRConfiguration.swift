import Numerics

/// The constants of the model (section 1 of the specification), each with its published default.
///
/// Sizes are in pixels or vector elements. Everything here is part of a checkpoint's identity except
/// the switches of the objective.
public struct SQAIRConfiguration: Codable, Equatable, Sendable {
  /// Frame height and width in pixels. Training takes them from the data file.
  public var height = 50
  public var width = 50
  /// How images and glimpses are encoded and decoded.
  public enum Encoder: String, Codable, Sendable, CaseIterable {
    /// Dense layers, as published.
    case mlp
    /// Convolutions of our own design; see `ImageEncoder`.
    case conv

    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let word = try container.decode(String.self)
      guard let value = Self(rawValue: word) else {
        let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "unknown value \"\(word)\" (known: \(known))")
      }
      self = value
    }
  }

  /// How images and glimpses are encoded and decoded. Default mlp.
  public var encoder = Encoder.mlp
  /// Channels of every convolution, if there are any. Default 16.
  public var channels = 16
  /// Glimpse height and width in cells.
  public var glimpseHeight = 20
  public var glimpseWidth = 20
  /// Width n of every hidden layer that has no width of its own; even.
  public var hidden = 256
  /// Elements d of the appearance vector `what`.
  public var what = 50
  /// Object slots K.
  public var slots = 3
  /// Width of the glimpse mask network's hidden layer.
  public var maskHidden = 128
  /// Width of the where-bias network's hidden layer.
  public var whereBiasHidden = 128
  /// Width of the conditioning layer of the discovery where-prior.
  public var wherePriorHidden = 128

  /// Standard deviation of pixel noise, fixed.
  public var outputStandardDeviation: Float = 0.3
  /// Initial value of the trainable factor on decoded glimpses.
  public var outputScale: Float = 0.25
  /// Initial value of the two trainable offsets of the raw where-scales.
  public var transformVarianceBias: Float = -3
  /// Fixed extra offset of the raw where-scale in propagation.
  public var propagationScaleOffset: Float = -1
  /// Added after every softplus that makes a standard deviation.
  public var minimumStandardDeviation: Float = 1e-2
  /// Initial mean of the two scale logits in the discovery where-prior.
  public var scalePrior: Float = -2
  /// Added to `scalePrior` for the height, where objects are not as wide as tall. 0 as published.
  public var scalePriorHeightOffset: Float = 0
  /// Initial raw standard deviation of the discovery where-prior, through softplus.
  public var wherePriorRawScale: Float = 1
  /// Initial output bias of the discovery presence head.
  public var discoveryStepBias: Float = 1
  /// Initial output bias of the propagation presence head.
  public var propagationStepBias: Float = 5
  /// Fixed offset of the propagation prior's presence logit.
  public var propagationPriorStepBias: Float = 10
  /// Initial extra logit of "no discovery" for frames after the first.
  public var stepTimeBias: Float = 10
  /// Fixed factor on the predicted change of `where`.
  public var whereUpdateScale: Float = 1
  /// Fixed factor on the where-bias network's output.
  public var whereBiasGain: Float = 0.1
  /// Fixed factor on the three what-gates.
  public var gateGain: Float = 0.9999
  /// Initial bias of the what-gates.
  public var gateBias: Float = 1
  /// Initial bias of the glimpse mask's output layer.
  public var maskBias: Float = 1
  /// The written-to mask is sigmoid(maskOffset + maskSlope * coverage).
  public var maskOffset: Float = -10
  public var maskSlope: Float = 20
  /// Smallest box scale, as a value; its derivative passes.
  public var minimumScale: Float = 1e-4
  /// Smallest probability of the discovery count posterior, as a value; its derivative passes.
  public var minimumProbability: Float = 1e-16

  /// Whether discovery is limited to the slots that propagation left free (oddity O1). Off as published.
  public var maskDiscovery = false
  /// Whether the prior of a propagated object says how its appearance and place change, instead of what they are: the
  /// mean is the last value plus the network's output. It changes p(x, z). Off as published.
  public var residualPrior = false
  /// Weight of the appearance that an object had in its first frame in what the prior expects of the second, from 0 to
  /// 1. As an object gets older, the weight of its mean appearance grows (section 4.4). It changes p(x, z). 0 as
  /// published.
  public var meanAppearanceWeight: Float = 0
  /// Weight of an object's mean appearance in what is drawn of it in its first frame, from 0 to 1; the rest is its
  /// appearance in the frame. As an object gets older, the weight grows (section 6). It needs a `meanAppearanceWeight`,
  /// and changes p(x | z). 0 as published.
  public var drawnMeanWeight: Float = 0
  /// Number of frames whose positions the prior of a propagated object continues in a straight line; of an object that
  /// is older, earlier frames count less and less (section 4.6). 0 or at least 2. It changes p(x, z). 0 as published.
  public var motionFrames = 0
  /// Added to the two scale logits of the window of propagation's first glimpse, so that an object that moved is
  /// still seen whole. It changes q(z | x) only. 0 as published.
  public var firstGlimpseScaleOffset: Float = 0
  /// Whether the first glimpse is masked like the second. It changes q(z | x) only. On as published.
  public var masksFirstGlimpse = true
  /// Whether propagation takes a further glimpse where the first one says that an object is, and corrects its position,
  /// before the position is drawn (section 4.5). It changes q(z | x) only. Off as published.
  public var refinesPosition = false

  /// The most numbers that a hidden layer or the appearance of an object has.
  package var largestWidth: Int { max(hidden, what, maskHidden, whereBiasHidden, wherePriorHidden) }

  /// The names in configurations, `model.hiddenSize`. Every property needs one, or it is not kept in checkpoints.
  private enum CodingKeys: String, CodingKey {
    case height, width, encoder, channels, glimpseHeight, glimpseWidth, outputStandardDeviation, outputScale
    case transformVarianceBias, propagationScaleOffset, minimumStandardDeviation, scalePrior, wherePriorRawScale
    case scalePriorHeightOffset
    case discoveryStepBias, propagationStepBias, propagationPriorStepBias, stepTimeBias, whereUpdateScale
    case whereBiasGain, gateGain, gateBias, maskBias, maskOffset, maskSlope, minimumScale, minimumProbability
    case maskDiscovery, residualPrior, meanAppearanceWeight, drawnMeanWeight, firstGlimpseScaleOffset
    case masksFirstGlimpse, refinesPosition, motionFrames
    case hidden = "hiddenSize"
    case what = "appearanceSize"
    case slots = "maxObjects"
    case maskHidden = "maskHiddenSize"
    case whereBiasHidden = "whereBiasHiddenSize"
    case wherePriorHidden = "wherePriorHiddenSize"
  }

  public init() {}

  /// Reasons why no model can be built from these constants; empty if one can.
  public func validate() -> [String] {
    var reasons: [String] = []
    func require(_ condition: Bool, _ reason: String) {
      if !condition { reasons.append(reason) }
    }
    let frameSizes = 2...1024
    let glimpseSizes = 2...128
    require(
      frameSizes.contains(height) && frameSizes.contains(width),
      "frames must have from 2 to 1024 pixels a side, not \(height) x \(width)")
    require(
      glimpseSizes.contains(glimpseHeight) && glimpseSizes.contains(glimpseWidth),
      "glimpses must have from 2 to 128 cells a side, not \(glimpseHeight) x \(glimpseWidth)")
    require(hidden >= 2 && hidden % 2 == 0, "hiddenSize must be even and at least 2, not \(hidden)")
    require((1...1024).contains(channels), "channels must be from 1 to 1024, not \(channels)")
    require(what >= 1, "appearanceSize must have at least 1 element, not \(what)")
    require((1...64).contains(slots), "maxObjects must be from 1 to 64, not \(slots)")
    require(maskHidden >= 1, "maskHiddenSize must be at least 1, not \(maskHidden)")
    require(whereBiasHidden >= 1, "whereBiasHiddenSize must be at least 1, not \(whereBiasHidden)")
    require(wherePriorHidden >= 1, "wherePriorHiddenSize must be at least 1, not \(wherePriorHidden)")
    require(
      outputStandardDeviation > 0 && outputStandardDeviation.isFinite,
      "outputStandardDeviation must be positive, not \(outputStandardDeviation)")
    require(
      minimumStandardDeviation > 0 && minimumStandardDeviation.isFinite,
      "minimumStandardDeviation must be positive, not \(minimumStandardDeviation)")
    require(
      firstGlimpseScaleOffset.magnitude <= 10,
      "firstGlimpseScaleOffset must be from -10 to 10, not \(firstGlimpseScaleOffset)")
    require(
      (0...1).contains(meanAppearanceWeight), "meanAppearanceWeight must be from 0 to 1, not \(meanAppearanceWeight)")
    require((0...1).contains(drawnMeanWeight), "drawnMeanWeight must be from 0 to 1, not \(drawnMeanWeight)")
    require(
      drawnMeanWeight == 0 || meanAppearanceWeight > 0,
      "drawnMeanWeight \(drawnMeanWeight) needs a meanAppearanceWeight above 0, without which no mean is kept")
    require(
      motionFrames == 0 || (2...1_000).contains(motionFrames),
      "motionFrames must be 0 (off) or from 2 to 1000, not \(motionFrames)")
    require(minimumScale > 0 && minimumScale < 1, "minimumScale must be between 0 and 1, not \(minimumScale)")
    require(
      minimumProbability > 0 && minimumProbability < 1,
      "minimumProbability must be between 0 and 1, not \(minimumProbability)")
    return reasons
  }

  var imageGrid: ImageGrid { ImageGrid(height: height, width: width) }
  var glimpseGrid: ImageGrid { ImageGrid(height: glimpseHeight, width: glimpseWidth) }

  /// Sizes for the spatial transformer.
  var geometry: GlimpseGeometry {
    GlimpseGeometry(
      imageHeight: height, imageWidth: width, glimpseHeight: glimpseHeight, glimpseWidth: glimpseWidth,
      minimumScale: minimumScale)
  }
}
