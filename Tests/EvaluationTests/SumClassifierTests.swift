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

extension SumClassifier {
  /// The share of frames with the correct sum; of those that show an object where empty ones are left out.
  fileprivate func accuracy(on data: LabelledLatents, withoutEmptyFrames: Bool = false) -> Double {
    let width = data.values.count / data.count
    let frames = (0..<data.count).map { (vector: data.values[$0 * width..<($0 + 1) * width], sum: data.sums[$0]) }
      .filter { !withoutEmptyFrames || $0.vector.contains { $0 != 0 } }
    return Double(frames.count { sum(of: $0.vector) == $0.sum }) / Double(frames.count)
  }
}

@Suite struct SumClassifierTests {
  @Test func namesTheSumsOfFramesItHasNotSeen() throws {
    let classifier = SumClassifier(objects: 2, size: 11, seed: 3)
    let unseen = digitFrames(500, seed: 2)
    // It knows from the start that empty frames have the sum 0.
    #expect(classifier.accuracy(on: unseen, withoutEmptyFrames: true) < 0.2)
    try classifier.train(on: digitFrames(5000, seed: 1))
    #expect(classifier.accuracy(on: unseen) > 0.99)
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
    let largestShare = Double((0...18).map { sum in sums.count { $0 == sum } }.max()!) / Double(sums.count)
    #expect(abs(classifier.accuracy(on: data) - largestShare) < 1e-9)
  }

  /// What is learned of an object beside another is known of it alone: of the digits from 5 on, training shows only
  /// pairs.
  @Test(arguments: 0..<4 as Range<UInt64>)
  func valuesOfObjectsAreIndependentOfEachOther(seed: UInt64) throws {
    func frame(_ digits: [Int]) -> [Float] {
      (0..<2).flatMap { slot in (0..<11).map { digits.count > slot && ($0 == digits[slot] || $0 == 10) ? 1 : 0 } }
    }
    var data = LabelledLatents(objects: 2, size: 11)
    for number in 0..<3000 {
      let (first, second) = (number % 10, number / 10 % 10)
      let isAlone = first < 5 && number.isMultiple(of: 3)
      data.append(frame(isAlone ? [first] : [first, second]), sum: isAlone ? first : first + second)
    }
    let classifier = SumClassifier(objects: 2, size: 11, seed: seed)
    try classifier.train(on: data)
    for digit in 0..<10 { #expect(classifier.sum(of: frame([digit])[...]) == digit) }
    #expect(classifier.sum(of: frame([])[...]) == 0)
  }

  /// In a fifth of the frames the model found one of two digits only, so that their sum may be more than any digit.
  @Test func framesWithAMissedDigitDoNotSpoilTheOthers() throws {
    let found = digitFrames(4000, seed: 1)
    var data = LabelledLatents(objects: 2, size: 11)
    for frame in 0..<found.count {
      var vector = Array(found.values[22 * frame..<22 * (frame + 1)])
      if frame % 5 == 0 { vector.replaceSubrange(11..., with: repeatElement(0, count: 11)) }
      data.append(vector, sum: found.sums[frame])
    }
    let classifier = SumClassifier(objects: 2, size: 11, seed: 3)
    try classifier.train(on: data)
    #expect(classifier.accuracy(on: digitFrames(500, seed: 2)) > 0.99)
  }

  /// So many frames that whole batches show no object, as those of a model that finds none.
  @Test func framesWithoutObjectsAreLearnedFrom() throws {
    var data = LabelledLatents(objects: 2, size: 3)
    for number in 0..<600 { data.append(Array(repeating: 0, count: 6), sum: number % 4) }
    let classifier = SumClassifier(objects: 2, size: 3, seed: 0)
    try classifier.train(on: data)
    #expect(classifier.accuracy(on: data) == 0.25)
  }

  @Test func everySampleOfAFrameHasItsSum() {
    var data = LabelledLatents(objects: 1, size: 2)
    data.append([1, 2, 3, 4], sum: 7)
    data.append([5, 6], sum: 9)
    #expect(data.values == [1, 2, 3, 4, 5, 6])
    #expect(data.sums == [7, 7, 9])
  }

  /// Two of three samples show a 7, one a 2.
  @Test func samplesOfAFrameAreAveraged() throws {
    let classifier = SumClassifier(objects: 2, size: 11, seed: 3)
    let data = digitFrames(3000, seed: 1)
    try classifier.train(on: data)
    func vector(_ digit: Int) -> [Float] { (0..<22).map { $0 == digit || $0 == 10 ? 1 : 0 } }
    #expect(classifier.sum(of: (vector(7) + vector(2) + vector(7))[...]) == 7)
    #expect(classifier.sum(of: (vector(2) + vector(2) + vector(7))[...]) == 2)
  }

  @Test func learnsTheSameFromTheSameSeed() throws {
    let data = digitFrames(300, seed: 9)
    let unseen = digitFrames(300, seed: 10)
    let accuracies = try ([4, 4, 5] as [UInt64]).map { seed in
      let classifier = SumClassifier(objects: 2, size: 11, seed: seed)
      var settings = SumClassifier.Settings()
      // After more passes every seed knows all of them.
      settings.epochs = 1
      try classifier.train(on: data, settings)
      return classifier.accuracy(on: unseen)
    }
    #expect(accuracies[0] == accuracies[1])
    #expect(accuracies[0] != accuracies[2])
  }
}
