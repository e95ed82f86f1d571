import CKernels

/// The weights of a model in the order in which products read them, kept up to date while parameters change.
///
/// Which weights a model multiplies with, and in which orientations, is seen when it runs: those that were looked for
/// and not found are `missing`, and `keep` makes room for them. Afterwards `pack` brings those rows up to date whose
/// parameters have changed. All of it may be divided among processes that share the memory.
public final class PackedWeights {
  /// A weight, or a part of one, in one orientation.
  public struct Form: Hashable, BitwiseCopyable, Comparable, Sendable {
    /// Of the first element among the parameters.
    let offset: Int32
    let rows: Int32
    let columns: Int32
    let stride: Int32
    let isTransposed: Bool

    public static func < (a: Form, b: Form) -> Bool {
      (a.offset, a.rows, a.columns, a.isTransposed ? 1 : 0) < (b.offset, b.rows, b.columns, b.isTransposed ? 1 : 0)
    }

    /// The parameters from its first element to its last.
    var elements: Range<Int> {
      Int(offset)..<Int(offset) + (Int(rows) - 1) * Int(stride) + Int(columns)
    }

    /// The parameter that a row begins with.
    func element(ofRow row: Int) -> Int { Int(offset) + row * Int(stride) }

    /// Floats that the packed weight takes.
    func packedSize(_ precision: Precision) -> Int {
      let (k, n) = isTransposed ? (columns, rows) : (rows, columns)
      return Int(kernel_packed_size(precision.kernel, Int64(k), Int64(n)))
    }
  }

  /// How they are rounded.
  public let precision: Precision

  private let parameters: UnsafeMutableBufferPointer<Float>
  private let memory: UnsafeMutableBufferPointer<Float>
  private var used = 0
  private var forms: [(form: Form, elements: Range<Int>, packed: UnsafeMutablePointer<Float>)] = []
  private var packed: [Form: UnsafeMutablePointer<Float>] = [:]
  /// Those that there is no room for.
  private var refused: Set<Form> = []
  /// What was looked for and not found since `keep`, each at least once.
  public private(set) var missing: [Form] = []

  /// - Parameters:
  ///   - parameters: all values of a store.
  ///   - memory: where packed weights are kept; see `room(forParameters:)`.
  public init(
    of parameters: UnsafeMutableBufferPointer<Float>, _ precision: Precision,
    in memory: UnsafeMutableBufferPointer<Float>
  ) {
    (self.parameters, self.precision, self.memory) = (parameters, precision, memory)
  }

  /// Floats that suffice for all weights of a model in both orientations, filled up to whole panels.
  public static func room(forParameters count: Int) -> Int { 5 * count / 2 + 1 << 20 }

  /// The packed weight; nil if it is not kept.
  func find(_ w: MatrixBlock, isTransposed: Bool) -> UnsafeMutablePointer<Float>? {
    let offset = w.base - parameters.baseAddress!
    guard parameters.indices.contains(offset) else { return nil }
    let form = Form(
      offset: Int32(offset), rows: Int32(w.rows), columns: Int32(w.columns), stride: Int32(w.stride),
      isTransposed: isTransposed)
    if let found = packed[form] { return found }
    if !refused.contains(form) { missing.append(form) }
    return nil
  }

  /// Makes room for weights. They are found from now on, and hold nothing until `pack` has seen all parameters.
  ///
  /// - Parameter wanted: what is missing, on all processes that share the memory the same.
  public func keep(_ wanted: some Collection<Form>) {
    guard !missing.isEmpty || !wanted.isEmpty else { return }
    missing.removeAll(keepingCapacity: true)
    for form in Set(wanted).sorted() where packed[form] == nil {
      // Packed weights begin at cache lines.
      let size = (form.packedSize(precision) + 15) / 16 * 16
      guard used + size <= memory.count else {
        refused.insert(form)
        continue
      }
      let place = memory.baseAddress! + used
      used += size
      packed[form] = place
      forms.append((form, form.elements, place))
    }
  }

  /// How many weights are kept, each orientation for itself.
  public var formCount: Int { forms.count }

  /// Packs the groups of rows whose last element is in a range of parameters and whose first element is in another.
  ///
  /// Groups are as small as they can be packed. Someone who changes the parameters block by block calls this after
  /// each: a group is packed when it is complete, while it is in the cache. Ranges that together cover all last
  /// elements pack everything once.
  public func pack(endingIn last: Range<Int>, beginningIn first: Range<Int>) {
    forEachGroup(endingIn: last) { form, rows, place in
      if first.contains(form.element(ofRow: rows.lowerBound)) { pack(form, rows: rows, to: place) }
    }
  }

  /// The first parameter that `pack` reads for the groups of rows that end in a range, or the first of the range.
  public func begin(ofGroupsEndingIn last: Range<Int>) -> Int {
    var begin = last.lowerBound
    forEachGroup(endingIn: last) { form, rows, _ in begin = min(begin, form.element(ofRow: rows.lowerBound)) }
    return begin
  }

  /// Groups of rows are as small as they can be packed.
  private func forEachGroup(
    endingIn last: Range<Int>, _ body: (Form, _ rows: Range<Int>, _ packed: UnsafeMutablePointer<Float>) -> Void
  ) {
    let size = Int(PACKED_ROWS)
    for (form, elements, place) in forms where elements.overlaps(last) {
      let (rows, columns, stride) = (Int(form.rows), Int(form.columns), Int(form.stride))
      func end(_ group: Int) -> Int { Int(form.offset) + (min((group + 1) * size, rows) - 1) * stride + columns - 1 }
      // The first group that ends in the range, or one before it.
      var group = max(0, (last.lowerBound - Int(form.offset) - columns) / (size * stride) - 1)
      while group * size < rows, end(group) < last.lowerBound { group += 1 }
      while group * size < rows, end(group) < last.upperBound {
        body(form, group * size..<min((group + 1) * size, rows), place)
        group += 1
      }
    }
  }

  private func pack(_ form: Form, rows: Range<Int>, to place: UnsafeMutablePointer<Float>) {
    let base = parameters.baseAddress! + Int(form.offset)
    let (first, count) = (Int64(rows.lowerBound), Int64(rows.count))
    if form.isTransposed {
      kernel_pack_transposed(
        precision.kernel, base, Int64(form.stride), Int64(form.columns), Int64(form.rows), first, count, place)
    } else {
      kernel_pack(
        precision.kernel, base, Int64(form.stride), Int64(form.rows), Int64(form.columns), first, count, place)
    }
  }
}
