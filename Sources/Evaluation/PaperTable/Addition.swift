import Cluster
import Runs
import Storage

/// How often the sum of the digits of a frame is read from its latent variables: the "addition" task of the paper.
struct Addition {
  /// Samples from q(z | x) of a frame from which a sum is learned.
  static let trainingSamples = 2
  /// Samples of an unseen frame over which the probabilities of a sum are averaged.
  private static let testSamples = 50

  private(set) var frames = 0
  private var correct = 0
  /// Frames with each sum.
  private var counts = [Int](repeating: 0, count: SumClassifier.sumCount)

  /// The share of frames whose sum is the most probable one.
  var accuracy: Double { Double(correct) / Double(max(frames, 1)) }
  /// The accuracy of always naming the most frequent sum.
  var guess: Double { Double(counts.max()!) / Double(max(frames, 1)) }

  /// Trains a classifier of sums on the latent variables of some sequences and measures it on others. All processes
  /// infer; rank 0 trains and has the result, the others count no frames.
  ///
  /// - Parameters:
  ///   - train: the file and how many of its sequences.
  ///   - test: likewise.
  init(
    of trained: TrainedModel, name: String, train: (file: SequenceSet, count: Int),
    test: (file: SequenceSet, count: Int), _ communicator: Communicator
  ) throws {
    let model = trained.state.model
    let seed = trained.configuration.training.seed
    func reader(_ particles: Int) -> LatentReader {
      LatentReader(model: model, particles: particles, seed: seed, communicator: communicator)
    }
    var known = LabelledLatents(objects: model.latentObjects, size: model.latentCount / model.latentObjects)
    if communicator.isRoot { known.reserve(vectors: train.count * train.file.frameCount * Self.trainingSamples) }
    try withProgress("\(name) latents", total: train.count, isShown: communicator.isRoot) { update in
      try reader(Self.trainingSamples).read(train.file, sequences: train.count, progress: update) {
        known.append($0, sum: $1)
      }
    }
    let classifier = SumClassifier(objects: known.objects, size: known.size, seed: seed)
    // The classifier is small: rank 0 alone.
    try communicator.collectively("training the classifier of sums of \(trained.path)") {
      guard communicator.isRoot else { return }
      try withProgress("\(name) addition", total: SumClassifier.Settings().epochs, unit: "passes") { update in
        try classifier.train(on: known, progress: update)
      }
    }
    try withProgress("\(name) unseen latents", total: test.count, isShown: communicator.isRoot) { update in
      try reader(Self.testSamples).read(test.file, sequences: test.count, progress: update) {
        frames += 1
        counts[$1] += 1
        if classifier.sum(of: $0) == $1 { correct += 1 }
      }
    }
  }
}
