import Foundation

/// The initial values of a parameter (section 2).
public enum Initializer: Sendable, Equatable {
  /// The same value everywhere.
  case constant(Float)
  /// The given values.
  case values([Float])
  /// Standard normal, redrawn while |z| > 2, times 1 / sqrt(inputs).
  case truncatedNormal(inputs: Int)
  /// Uniform in (-l, l) with l = sqrt(6 / (inputs + outputs)).
  case glorotUniform(inputs: Int, outputs: Int)

  /// `count` values that depend on the generator and the name only.
  func values(count: Int, name: String, random: CounterRandom) -> [Float] {
    // FNV-1a: the name determines the counter, so that adding a parameter does not change the others' initial values.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var reader = random.reader(UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32))
    switch self {
    case .constant(let value): return Array(repeating: value, count: count)
    case .values(let values):
      precondition(values.count == count, "\(name): \(values.count) initial values for \(count) elements")
      return values
    case .truncatedNormal(let inputs):
      let scale = 1 / Double(inputs).squareRoot()
      return (0..<count).map { _ in
        var z = reader.normal()
        while abs(z) > 2 { z = reader.normal() }
        return Float(z * scale)
      }
    case .glorotUniform(let inputs, let outputs):
      let limit = (6 / Double(inputs + outputs)).squareRoot()
      return (0..<count).map { _ in Float(reader.uniform(-limit, limit)) }
    }
  }
}

/// One named parameter: its shape as files and other programs know it, and its position in memory.
public struct Parameter: Sendable {
  public let name: String
  /// As in checkpoints: [] for a scalar, [n] for a vector, [in, out] for weights.
  public let shape: [Int]
  public let initializer: Initializer
  /// Offset of the first element in the store.
  let offset: Int
  /// Shape of the matrix view.
  let rows: Int
  let columns: Int
  let stride: Int

  public var count: Int { rows * columns }
}

/// All trainable numbers of a model in one block of memory, with their gradients in another.
///
/// One block means that the gradient sum over processes and the optimizer's update are single passes. Names and shapes
/// are those of section 3; the order of `parameters` is part of the checkpoint's digest.
public final class ParameterStore {
  public private(set) var parameters: [Parameter] = []
  /// Number of trainable numbers.
  public private(set) var count = 0
  private var indices: [String: Int] = [:]
  private var memory: (any VectorMemory)?
  private let gradientMemory = OwnMemory()
  private var firstValue: UnsafeMutablePointer<Float>?
  private var firstGradient: UnsafeMutablePointer<Float>?
  /// Sums of gradients over blocks of microbatches, each in memory order; see `PartialGradients`.
  public private(set) var partialGradients: [UnsafeMutableBufferPointer<Float>] = []

  public init() {}

  /// All values, in memory order.
  public var values: UnsafeMutableBufferPointer<Float> { .init(start: firstValue, count: count) }
  /// The first of `partialGradients`: where the tensors of parameters have their gradients.
  public var gradients: UnsafeMutableBufferPointer<Float> { .init(start: firstGradient, count: count) }

  /// Declares a parameter with memory of its own.
  public func declare(_ name: String, _ shape: [Int], _ initializer: Initializer) {
    declare(sideBySide: [(name, initializer)], shape: shape)
  }

  /// Declares parameters of one shape whose columns are side by side in one matrix, so that one product serves them
  /// all; files have them one by one.
  public func declare(sideBySide members: [(name: String, initializer: Initializer)], shape: [Int]) {
    precondition(memory == nil, "parameters are declared before the store is allocated")
    let columns = shape.last ?? 1
    let rows = shape.dropLast().reduce(1, *)
    let stride = columns * members.count
    for (index, member) in members.enumerated() {
      precondition(indices[member.name] == nil, "parameter \(member.name) is declared twice")
      indices[member.name] = parameters.count
      parameters.append(
        Parameter(
          name: member.name, shape: shape, initializer: member.initializer, offset: count + index * columns,
          rows: rows, columns: columns, stride: stride))
    }
    count += rows * stride
  }

  /// Allocates memory for everything declared; values and gradients are zero.
  ///
  /// - Parameter memory: where values are kept; gradients are in memory of this process.
  public func allocate(in memory: any VectorMemory = OwnMemory()) {
    self.memory = memory
    firstValue = memory.vector(count).baseAddress
    allocatePartialGradient(0)
    firstGradient = partialGradients[0].baseAddress
  }

  /// Allocates memory for one of `partialGradients` unless it has some.
  func allocatePartialGradient(_ index: Int) {
    while partialGradients.count <= index { partialGradients.append(gradientMemory.vector(count)) }
  }

  /// Moves one of `partialGradients` to the end, so that those after it move up and its memory is reused. The first
  /// belongs to the tensors and stays.
  func releasePartialGradient(_ index: Int) {
    precondition(index > 0, "the first partial gradient is that of the tensors")
    partialGradients.append(partialGradients.remove(at: index))
  }

  /// Distance of one of `partialGradients` from the first, in elements.
  func offset(ofPartialGradient index: Int) -> Int { partialGradients[index].baseAddress! - firstGradient! }

  /// Sets every parameter to its initial values; a function of the seed and the names only.
  public func initialize(seed: UInt64) {
    let random = CounterRandom(seed: seed, purpose: .initialization)
    for parameter in parameters {
      write(parameter.initializer.values(count: parameter.count, name: parameter.name, random: random), to: parameter)
    }
  }

  /// The parameter as a tensor: [in, out], a vector as [1, n], a scalar as [1, 1].
  public subscript(_ name: String) -> Tensor { tensor(named(name)) }

  /// Neighbours declared side by side, as one tensor over the columns of all of them.
  public func sideBySide(_ names: [String]) -> Tensor {
    let members = names.map(named)
    let first = members[0]
    for (index, member) in members.enumerated() {
      precondition(
        member.offset == first.offset + index * first.columns && member.stride == first.stride,
        "\(names) are not side by side")
    }
    return Tensor(
      rows: first.rows, columns: first.columns * members.count, stride: first.stride,
      values: firstValue! + first.offset, gradients: firstGradient! + first.offset)
  }

  /// The parameter of this name, if there is one.
  public func parameter(_ name: String) -> Parameter? { indices[name].map { parameters[$0] } }

  /// Sets all gradients to zero.
  public func clearGradients() { gradients.update(repeating: 0) }

  /// A parameter's values, row after row, as in a checkpoint.
  public func read(_ parameter: Parameter) -> [Float] { read(parameter, from: UnsafeBufferPointer(values)) }

  /// A parameter's part of a buffer laid out like `values` (gradients, optimizer state).
  public func read(_ parameter: Parameter, from buffer: UnsafeBufferPointer<Float>) -> [Float] {
    (0..<parameter.rows).flatMap { row in
      buffer[(parameter.offset + row * parameter.stride)...].prefix(parameter.columns)
    }
  }

  /// Sets a parameter's values, given row after row.
  public func write(_ array: [Float], to parameter: Parameter) { write(array, to: parameter, in: values) }

  /// Sets a parameter's part of a buffer laid out like `values`.
  public func write(_ array: [Float], to parameter: Parameter, in buffer: UnsafeMutableBufferPointer<Float>) {
    precondition(array.count == parameter.count, "\(parameter.name): \(array.count) values for \(parameter.count)")
    for row in 0..<parameter.rows {
      for column in 0..<parameter.columns {
        buffer[parameter.offset + row * parameter.stride + column] = array[row * parameter.columns + column]
      }
    }
  }

  private func named(_ name: String) -> Parameter {
    guard let parameter = parameter(name) else { preconditionFailure("there is no parameter \(name)") }
    return parameter
  }

  private func tensor(_ parameter: Parameter) -> Tensor {
    precondition(memory != nil, "the store is not allocated yet")
    return Tensor(
      rows: parameter.rows, columns: parameter.columns, stride: parameter.stride,
      values: firstValue! + parameter.offset, gradients: firstGradient! + parameter.offset)
  }
}
