import CKernels
import Numerics
import Testing

/// The kernels for each kind of processor against plain loops: a multiply-add an element, from the first to the last.
///
/// Sizes fill and do not fill registers and blocks. Where the kernels round once a multiply-add, they must have the
/// bits of the loops, and so those of each other.
@Suite struct KernelFamilyTests {
  enum Family: String, CaseIterable {
    case avx512bf16, avx512, avx2, portable

    static let ofFloats = allCases.filter { $0 != .avx512bf16 }

    var precision: product_precision { self == .avx512bf16 ? PRODUCT_BFLOAT16 : PRODUCT_FLOAT32 }

    /// The sum of products as the kernels of this family define it. Of two bfloat16, the second is multiplied first.
    func sum(_ count: Int, _ factors: (Int) -> (Float, Float)) -> Float {
      var sum: Float = 0
      func add(_ index: Int) {
        let (a, b) = factors(index)
        if self == .avx512bf16 { sum.addProduct(Self.rounded(a), Self.rounded(b)) } else { sum.addProduct(a, b) }
      }
      for first in stride(from: 0, to: count, by: self == .avx512bf16 ? 2 : 1) {
        if self == .avx512bf16, first + 1 < count { add(first + 1) }
        add(first)
      }
      return sum
    }

    /// The nearest bfloat16, of two the one with an even last bit.
    private static func rounded(_ value: Float) -> Float {
      let bits = value.bitPattern
      return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }
  }

  /// Runs the body with the kernels of a family, if this processor has them. Other tests of the process do not notice.
  ///
  /// - Returns: whether it has.
  private func with(_ family: Family, _ body: (_ isFused: Bool) -> Void) -> Bool {
    if family == .avx512bf16 {
      guard Precision.bfloat16.isSupported else { return false }
      body(true)
      return true
    }
    guard kernel_product_choose(family.rawValue) == 1 else { return false }
    defer { #expect(kernel_product_choose(nil) == 1) }
    #expect(String(cString: kernel_product_family(PRODUCT_FLOAT32)) == family.rawValue)
    body(family != .portable)
    return true
  }

  /// Numbers of both signs; one in eight is zero.
  private func numbers(_ count: Int, seed: Int) -> [Float] {
    var reader = CounterRandom(seed: UInt64(seed), purpose: .inference).reader(UInt32(count))
    return (0..<count).map { _ in
      let value = reader.uniform(-1, 1)
      return reader.uniform(0, 1) < 0.125 ? 0 : Float(value)
    }
  }

  /// Equal to the last bit if multiplication and addition round once, else within what `terms` roundings allow.
  private func expect(
    _ values: [Float], _ expected: [Float], isFused: Bool, terms: Int, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isRight =
      isFused
      ? values.map(\.bitPattern) == expected.map(\.bitPattern)
      : zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-6 * Float(terms + 1) }
    #expect(isRight && values.count == expected.count, "\(what)", sourceLocation: sourceLocation)
  }

  // MARK: - Products

  static let products: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 33, 7), (2, 16, 5), (5, 17, 31), (6, 8, 3), (7, 15, 64), (13, 32, 40), (14, 31, 1), (15, 64, 20),
    (28, 12, 9), (29, 100, 50), (43, 65, 17), (130, 3, 128), (0, 20, 4), (4, 40, 0),
  ]

  @Test(arguments: Family.allCases, products)
  func aProductIsOneChainOfMultiplyAdds(family: Family, shape: (m: Int, n: Int, k: Int)) {
    let ((m, n, k), precision) = (shape, family.precision)
    let (aStride, bStride, cStride) = (k + 3, n + 2, n + 5)
    let a = numbers(m * aStride + 1, seed: 1)
    let b = numbers(k * bStride + 1, seed: 2)
    let transposed = (0..<n * (k + 1)).map { $0 % (k + 1) < k ? b[$0 % (k + 1) * bStride + $0 / (k + 1)] : 9 }
    let before = numbers(m * cStride + 1, seed: 3)
    _ = with(family) { isFused in
      for isTransposed in [false, true] {
        var packed = [Float](repeating: .nan, count: Int(kernel_packed_size(precision, Int64(k), Int64(n))))
        var workspace = [Float](repeating: .nan, count: Int(kernel_product_workspace(precision, Int64(k))))
        if isTransposed {
          kernel_pack_transposed(precision, transposed, Int64(k + 1), Int64(k), Int64(n), 0, Int64(n), &packed)
        } else {
          kernel_pack(precision, b, Int64(bStride), Int64(k), Int64(n), 0, Int64(k), &packed)
        }
        #expect(packed.allSatisfy { !$0.isNaN })
        // The kernels ask for panels some steps ahead; asking does no harm, wherever it is.
        for accumulate in [false, true] {
          var c = before
          kernel_product_packed(
            precision, a, Int64(aStride), packed, &c, Int64(cStride), Int64(m), Int64(n), Int64(k),
            accumulate ? 1 : 0, &workspace)
          var expected = before
          for row in 0..<m {
            for column in 0..<n {
              let sum = family.sum(k) { (a[row * aStride + $0], b[$0 * bStride + column]) }
              expected[row * cStride + column] = accumulate ? sum + before[row * cStride + column] : sum
            }
          }
          expect(
            c, expected, isFused: isFused, terms: k, "\(family) \(shape), transposed \(isTransposed), += \(accumulate)")
        }
      }
    }
  }

  // MARK: - Weight gradients

  /// Rows of each microbatch, the number of the first microbatch, and the weight's size.
  struct Microbatches: Sendable, CustomTestStringConvertible {
    let rows: [Int]
    let first: Int
    let m: Int
    let n: Int
    var testDescription: String { "\(rows) from \(first), \(m)x\(n)" }
  }

  static let microbatches: [Microbatches] = [
    Microbatches(rows: [1], first: 0, m: 1, n: 1),
    Microbatches(rows: [7], first: 3, m: 14, n: 32),
    Microbatches(rows: [3, 5], first: 0, m: 15, n: 33),
    Microbatches(rows: [3, 5], first: 1, m: 13, n: 16),
    Microbatches(rows: [0, 4, 0, 0], first: 0, m: 29, n: 17),
    Microbatches(rows: [0], first: 2, m: 6, n: 9),
    Microbatches(rows: [0, 0, 0], first: 5, m: 40, n: 40),
    Microbatches(rows: [2, 9, 1, 4, 6, 3, 8], first: 0, m: 20, n: 31),
    Microbatches(rows: [2, 9, 1, 4, 6, 3, 8], first: 5, m: 43, n: 64),
    Microbatches(rows: [1, 0, 2, 5, 0, 30, 1, 1, 7, 2, 0, 4, 3, 3, 1, 12], first: 0, m: 7, n: 100),
    Microbatches(rows: [1, 0, 2, 5, 0, 30, 1, 1, 7, 2, 0], first: 7, m: 100, n: 7),
    Microbatches(rows: Array(repeating: 2, count: 37), first: 11, m: 3, n: 5),
  ]

  /// The sum over a block of microbatches as the tree has it, given each microbatch's.
  private func sum(_ leaves: [[Float]], of block: Range<Int>, first: Int) -> [Float] {
    if block.count == 1 { return leaves[block.lowerBound - first] }
    let middle = block.lowerBound + block.count / 2
    let left = sum(leaves, of: block.lowerBound..<middle, first: first)
    let right = sum(leaves, of: middle..<block.upperBound, first: first)
    return zip(left, right).map { $0 + $1 }
  }

  /// The sums over the blocks of a tree, [block][m n], given the inputs of each row (1 for a bias) and its gradients.
  private func blockSums(
    _ x: [[Float]], _ dy: [[Float]], _ microbatches: Microbatches, _ family: Family
  ) -> [[Float]] {
    var first = 0
    let leaves = microbatches.rows.map { count -> [Float] in
      defer { first += count }
      let n = microbatches.n
      return (0..<(x.first?.count ?? microbatches.m) * n).map { element in
        family.sum(count) { (x[first + $0][element / n], dy[first + $0][element % n]) }
      }
    }
    let all = microbatches.first..<microbatches.first + microbatches.rows.count
    return ReductionTree.blocks(of: all).map { sum(leaves, of: $0, first: microbatches.first) }
  }

  /// Gradients as a kernel leaves them in matrices of `stride` columns, which held `before`.
  private func run(
    _ microbatches: Microbatches, _ x: [[Float]]?, _ dy: [[Float]], stride: Int, before: [[Float]], accumulate: Bool,
    _ precision: product_precision
  ) -> [[Float]] {
    // Rows lie anywhere, so each has memory of its own.
    let memory = ((x ?? []) + dy + before).map { values in
      let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
      _ = copy.initialize(from: values)
      return copy
    }
    defer { for copy in memory { copy.deallocate() } }
    let rows = dy.count
    let inputs = memory.prefix(x?.count ?? 0).map { UnsafePointer($0.baseAddress) }
    let gradients = memory.dropFirst(inputs.count).prefix(rows).map { UnsafePointer($0.baseAddress) }
    let sums = memory.suffix(before.count)
    let starts = microbatches.rows.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1)) }
    let (count, first) = (Int64(microbatches.rows.count), Int64(microbatches.first))
    let (m, n) = (Int64(microbatches.m), Int64(microbatches.n))
    if x != nil {
      var workspace = [Float](repeating: .nan, count: Int(kernel_gradient_workspace(precision, Int64(rows), m, n)))
      kernel_weight_gradient(
        precision, inputs, gradients, starts, count, first, m, n, sums.map(\.baseAddress), Int64(stride),
        accumulate ? 1 : 0, &workspace)
    } else {
      var workspace = [Float](repeating: .nan, count: Int(kernel_bias_workspace(n)))
      kernel_bias_gradient(
        gradients, starts, count, first, n, sums.map(\.baseAddress), accumulate ? 1 : 0, &workspace)
    }
    return sums.map { Array($0) }
  }

  @Test(arguments: Family.allCases, microbatches)
  func weightGradientsAreAddedInTheOrderOfTheTree(family: Family, microbatches: Microbatches) {
    let rows = microbatches.rows.reduce(0, +)
    let x = (0..<rows).map { numbers(microbatches.m, seed: 100 + $0) }
    let dy = (0..<rows).map { numbers(microbatches.n, seed: 1000 + $0) }
    let expected = blockSums(x, dy, microbatches, family)
    let stride = microbatches.n + 3
    let before = expected.indices.map { numbers(microbatches.m * stride, seed: 10 + $0) }
    _ = with(family) { isFused in
      for accumulate in [false, true] {
        let results = run(microbatches, x, dy, stride: stride, before: before, accumulate: accumulate, family.precision)
        for (block, result) in results.enumerated() {
          var whole = before[block]
          for i in 0..<microbatches.m {
            for j in 0..<microbatches.n {
              let value = expected[block][i * microbatches.n + j]
              whole[i * stride + j] = accumulate ? before[block][i * stride + j] + value : value
            }
          }
          expect(result, whole, isFused: isFused, terms: rows, "\(family), block \(block), += \(accumulate)")
        }
      }
    }
  }

  @Test(arguments: Family.ofFloats, microbatches)
  func biasGradientsAreAddedInTheOrderOfTheTree(family: Family, microbatches: Microbatches) {
    let rows = microbatches.rows.reduce(0, +)
    let dy = (0..<rows).map { numbers(microbatches.n, seed: 2000 + $0) }
    let ones = dy.map { _ in [Float(1)] }
    let shape = Microbatches(rows: microbatches.rows, first: microbatches.first, m: 1, n: microbatches.n)
    let expected = blockSums(ones, dy, shape, family)
    let before = expected.indices.map { numbers(microbatches.n, seed: 20 + $0) }
    _ = with(family) { _ in
      for accumulate in [false, true] {
        let results = run(
          shape, nil, dy, stride: microbatches.n, before: before, accumulate: accumulate, family.precision)
        for (block, result) in results.enumerated() {
          let whole = zip(before[block], expected[block]).map { accumulate ? $0 + $1 : $1 }
          expect(result, whole, isFused: true, terms: rows, "\(family), block \(block), += \(accumulate)")
        }
      }
    }
  }

  // MARK: - The choice

  /// A processor that has wide kernels has the narrower ones too, so the comparisons above have compared something.
  @Test func aProcessorHasAllKernelsUpToItsBest() {
    let best = String(cString: kernel_product_family(PRODUCT_FLOAT32))
    let known = Family.ofFloats.filter { family in with(family) { _ in } }
    #expect(known.map(\.rawValue) == Family.ofFloats.map(\.rawValue).drop { $0 != best }.map { $0 })
    #expect(kernel_product_choose("abacus") == 0)
    // Chosen by precision, not by name.
    #expect(kernel_product_choose(Family.avx512bf16.rawValue) == 0)
    #expect(best == "avx512" || !Precision.bfloat16.isSupported)
    #expect(String(cString: kernel_product_family(PRODUCT_FLOAT32)) == best)
  }
}
