import Numerics

/// The objects that pass from one frame to the next: only those that are present (note O11).
///
/// Objects are ordered by slot and, within a slot, by row. Present objects fill a row's slots from
/// the first, so the rows of one slot are among the rows of the slot before, and every slot is a
/// range of objects.
public struct ObjectState: BitwiseCopyable {
  /// Rows N = examples times particles.
  public let rowCount: Int
  /// Slots K.
  public let slots: Int
  /// The row of each object, [objects].
  public let rows: Index
  /// The first object of each slot, and at the end the number of objects, [K + 1].
  public let slotStarts: Index
  /// For row n and slot k at n K + k: the index of the object, or -1.
  public let objects: Index
  /// The identity of each object, [objects]; constant along its life.
  public let ids: Index
  /// The last identity given in each row, [N].
  public let lastIDs: Index
  /// Appearance [objects, d] and place logits [objects, 4].
  public let what: Tensor
  public let whereLogits: Tensor
  /// Temporal state [objects, n] and prior state [objects, n]; no columns in a model that does not propagate objects.
  public let temporal: Tensor
  public let prior: Tensor
  /// How the objects have looked on average; nil where it is not used.
  package let meanAppearance: MeanAppearance?
  /// How the objects have moved; nil where the prior does not use it.
  package let motion: Motion?
  /// The recurrent state of each row in a model without objects, [N, n]; nil in a model with objects.
  let memory: Tensor?

  public var count: Int { rows.count }

  package init(
    rowCount: Int, slots: Int, rows: Index, slotStarts: Index, objects: Index, ids: Index, lastIDs: Index,
    what: Tensor, whereLogits: Tensor, temporal: Tensor, prior: Tensor, meanAppearance: MeanAppearance? = nil,
    motion: Motion? = nil, memory: Tensor? = nil
  ) {
    self.rowCount = rowCount
    self.slots = slots
    self.rows = rows
    self.slotStarts = slotStarts
    self.objects = objects
    self.ids = ids
    self.lastIDs = lastIDs
    self.what = what
    self.whereLogits = whereLogits
    self.temporal = temporal
    self.prior = prior
    self.meanAppearance = meanAppearance
    self.motion = motion
    self.memory = memory
  }

  /// The same state with another memory.
  func remembering(_ memory: Tensor) -> ObjectState {
    ObjectState(
      rowCount: rowCount, slots: slots, rows: rows, slotStarts: slotStarts, objects: objects, ids: ids,
      lastIDs: lastIDs, what: what, whereLogits: whereLogits, temporal: temporal, prior: prior,
      meanAppearance: meanAppearance, motion: motion, memory: memory)
  }

  /// The objects in a slot.
  package func range(ofSlot slot: Int) -> Range<Int> { slotStarts[slot]..<slotStarts[slot + 1] }

  /// The state before the first frame: no objects.
  static func empty(rows: Int, _ configuration: SQAIRConfiguration, on tape: Tape) -> ObjectState {
    let slotStarts = tape.index(count: configuration.slots + 1)
    slotStarts.base.update(repeating: 0, count: slotStarts.count)
    let objects = tape.index(count: rows * configuration.slots)
    objects.base.update(repeating: -1, count: objects.count)
    let lastIDs = tape.index(count: rows)
    lastIDs.base.update(repeating: -1, count: rows)
    let none = tape.index(count: 0)
    return ObjectState(
      rowCount: rows, slots: configuration.slots, rows: none, slotStarts: slotStarts, objects: objects, ids: none,
      lastIDs: lastIDs, what: tape.tensor(rows: 0, columns: configuration.what),
      whereLogits: tape.tensor(rows: 0, columns: 4), temporal: tape.tensor(rows: 0, columns: configuration.hidden),
      prior: tape.tensor(rows: 0, columns: configuration.hidden),
      meanAppearance: MeanAppearance(configuration, on: tape), motion: Motion(configuration, on: tape))
  }
}
