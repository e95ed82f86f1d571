import Foundation
import Numerics

/// The box of an object in pixels of the frame: y points down, [0, 0] is the corner of the top-left pixel. It is not
/// clipped at the frame.
public struct ObjectBox: Equatable, Sendable {
  /// The top edge, in pixels.
  public let y: Float
  /// The left edge, in pixels.
  public let x: Float
  /// In pixels.
  public let height: Float
  /// In pixels.
  public let width: Float
  /// The object's identity within its row.
  public let id: Int
}

extension ObjectState {
  /// The boxes of the objects of one row, in slot order (section 3.1).
  public func boxes(ofRow row: Int, _ configuration: SQAIRConfiguration) -> [ObjectBox] {
    (0..<slots).compactMap { slot in
      let object = objects[row * slots + slot]
      guard object >= 0 else { return nil }
      func span(_ scaleLogit: Float, _ shiftLogit: Float, _ size: Int) -> (start: Float, length: Float) {
        let scale = max(1 / (1 + exp(-scaleLogit)), configuration.minimumScale)
        let half = Float(size - 1) / 2
        // From the centre of the first pixel touched to that of the last, and half a pixel on each side.
        return ((tanh(shiftLogit) - scale + 1) * half, 2 * scale * half + 1)
      }
      let x = span(whereLogits[object, 0], whereLogits[object, 2], configuration.width)
      let y = span(whereLogits[object, 1], whereLogits[object, 3], configuration.height)
      return ObjectBox(y: y.start, x: x.start, height: y.length, width: x.length, id: ids[object])
    }
  }

  /// A state whose row i is this state's row `selection[i]`; rows may be left out or taken several times.
  public func selecting(rows selection: [Int], on tape: Tape) -> ObjectState {
    let newObjects = tape.index(count: selection.count * slots)
    let newStarts = tape.index(count: slots + 1)
    let newLastIDs = tape.index(count: selection.count)
    var source: [Int] = []
    var newRows: [Int] = []
    for slot in 0..<slots {
      newStarts[slot] = source.count
      for (row, old) in selection.enumerated() {
        let object = objects[old * slots + slot]
        newObjects[row * slots + slot] = object >= 0 ? source.count : -1
        guard object >= 0 else { continue }
        source.append(object)
        newRows.append(row)
      }
    }
    newStarts[slots] = source.count
    for (row, old) in selection.enumerated() { newLastIDs[row] = lastIDs[old] }
    let index = tape.index(count: source.count)
    let rowIndex = tape.index(count: source.count)
    let newIDs = tape.index(count: source.count)
    for (position, object) in source.enumerated() {
      index[position] = object
      rowIndex[position] = newRows[position]
      newIDs[position] = ids[object]
    }
    return ObjectState(
      rowCount: selection.count, slots: slots, rows: rowIndex, slotStarts: newStarts, objects: newObjects,
      ids: newIDs, lastIDs: newLastIDs, what: tape.selectRows(of: what, at: index),
      whereLogits: tape.selectRows(of: whereLogits, at: index), temporal: tape.selectRows(of: temporal, at: index),
      prior: tape.selectRows(of: prior, at: index), meanAppearance: meanAppearance?.selecting(index, on: tape),
      motion: motion?.selecting(index, on: tape),
      memory: memory.map { tape.selectRows(of: $0, at: tape.index(count: selection.count) { selection[$0] }) })
  }

  /// A state with one row for each object of the row `row`, in slot order, that holds nothing else.
  public func separated(row: Int, on tape: Tape) -> ObjectState {
    let own = (0..<slots).map { self.objects[row * slots + $0] }.filter { $0 >= 0 }
    let starts = tape.index(count: slots + 1) { $0 == 0 ? 0 : own.count }
    let objects = tape.index(count: own.count * slots) { $0 % slots == 0 ? $0 / slots : -1 }
    let index = tape.index(count: own.count) { own[$0] }
    return ObjectState(
      rowCount: own.count, slots: slots, rows: tape.index(count: own.count) { $0 }, slotStarts: starts,
      objects: objects, ids: tape.index(count: own.count) { ids[own[$0]] },
      lastIDs: tape.index(count: own.count) { _ in lastIDs[row] }, what: tape.selectRows(of: what, at: index),
      whereLogits: tape.selectRows(of: whereLogits, at: index), temporal: tape.selectRows(of: temporal, at: index),
      prior: tape.selectRows(of: prior, at: index), meanAppearance: meanAppearance?.selecting(index, on: tape),
      motion: motion?.selecting(index, on: tape))
  }

  /// The same objects, each moved by `steps` times its displacement since the state before.
  ///
  /// A baseline to compare predictions with: appearance and size stay, the centre moves in a straight line up to the
  /// border. An object that was not there before stays where it is.
  public func moved(since before: ObjectState, steps: Int, on tape: Tape) -> ObjectState {
    let moved = tape.constant(rows: count, columns: 4)
    for object in 0..<count {
      let row = rows[object]
      let old = (0..<slots).lazy.map { before.objects[row * slots + $0] }
        .first { $0 >= 0 && before.ids[$0] == ids[object] }
      for element in 0..<4 { moved[object, element] = whereLogits[object, element] }
      guard let old else { continue }
      for element in 2..<4 {
        let now = tanh(whereLogits[object, element])
        let next = now + Float(steps) * (now - tanh(before.whereLogits[old, element]))
        moved[object, element] = atanh(min(max(next, -0.999), 0.999))
      }
    }
    return ObjectState(
      rowCount: rowCount, slots: slots, rows: rows, slotStarts: slotStarts, objects: objects, ids: ids,
      lastIDs: lastIDs, what: what, whereLogits: moved, temporal: temporal, prior: prior,
      meanAppearance: meanAppearance, motion: motion)
  }

  /// The same objects at other positions.
  ///
  /// - Parameter whereLogits: [objects, 4].
  package func placed(at whereLogits: Tensor) -> ObjectState {
    ObjectState(
      rowCount: rowCount, slots: slots, rows: rows, slotStarts: slotStarts, objects: objects, ids: ids,
      lastIDs: lastIDs, what: what, whereLogits: whereLogits, temporal: temporal, prior: prior,
      meanAppearance: meanAppearance, motion: motion)
  }
}
