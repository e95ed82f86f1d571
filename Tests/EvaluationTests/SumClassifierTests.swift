import Evaluation
import Testing

/// Frames whose vectors say two digits, a presence flag each, in slots that change places.
private func digitFrames(_ count: Int, seed: UInt64) -> LabelledLatents {
  var word = seed &+ 1
  func random(below bound: Int) -> Int {
    word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(word >> 33) % bound
  }
  var data = LabelledLatents(objects: 2, size: 11)
  for _ in 0..<count {
    var vector = [Float](repeating: 0, count: 22)
    var sum = 0
    for slot in 0..<random(below: 3) {
      let digit = random(below: 10)
      vector[11 * slot + digit] = 1
      vector[11 * slot + 10] = 1
      sum += digit
    }
    data.append(vector, sum: sum)
  }
  return data
}

@Suite struct SumClassifierTests {
  @Test func namesTheSumsOfFramesItHasNotSeen() throws {
    let classifier = SumClassifier(objects: 2, size: 11, seed: 3)
    let unseen = digitFrames(500, seed: 2)
    #expect(classifier.accuracy(on: unseen) < 0.4)
    try classifier.train(on: digitFrames(5000, seed: 1))
    #expect(classifier.accuracy(on: unseen) > 0.9)
  }

  /// Models give objects to slots as they like.
  @Test func theOrderOfObjectsDoesNotMatter() throws {
    let classifier = SumClassifier(objects: 2, size: 11, seed: 3)
    try classifier.train(on: digitFrames(500, seed: 1))
    let unseen = digitFrames(500, seed: 2)
    var swapped = LabelledLatents(objects: 2, size: 11)
    for frame in 0..<unseen.count {
      let vector = unseen.values[22 * frame..<22 * (frame + 1)]
      swapped.append(Array(vector.suffix(11) + vector.prefix(11)), sum: unseen.sums[frame])
    }
    #expect(classifier.accuracy(on: swapped) == classifier.accuracy(on: unseen))
  }

  @Test func isNoBetterThanGuessingWhereVectorsSayNothing() throws {
    var data = LabelledLatents(objects: 1, size: 4)
    let sums = digitFrames(600, seed: 5).sums
    for sum in sums { data.append([1, 0, 0, 1], sum: sum) }
    let classifier = SumClassifier(objects: 1, size: 4, seed: 0)
    try classifier.train(on: data)
    #expect(abs(classifier.accuracy(on: data) - data.largestShare) < 1e-9)
  }

  @Test func learnsTheSameFromTheSameSeed() throws {
    let data = digitFrames(300, seed: 9)
    let unseen = digitFrames(300, seed: 10)
    let accuracies = try ([4, 4, 5] as [UInt64]).map { seed in
      let classifier = SumClassifier(objects: 2, size: 11, seed: seed)
      var settings = SumClassifier.Settings()
      settings.epochs = 5
      try classifier.train(on: data, settings)
      return classifier.accuracy(on: unseen)
    }
    #expect(accuracies[0] == accuracies[1])
    #expect(accuracies[0] != accuracies[2])
  }
}
