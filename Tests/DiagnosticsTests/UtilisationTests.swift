import Diagnostics
import Testing

/// Arithmetic relative to the capacity of all ranks, on durations whose utilisation is known.
@Suite struct UtilisationTests {
  /// Two ranks with a core each that computes 100 operations per second: together 200. A block with 60 operations takes
  /// a second, with processors of half that speed two.
  @Test func blocksAreComparedWithTheProductsNextToThem() {
    let utilisation = Utilisation(
      operations: [60, 60], seconds: [1, 2], productSeconds: [0.1, 0.1, 0.3], productOperations: 10, ranks: 2)
    #expect(utilisation.capacities[0] == 200)
    #expect(abs(utilisation.capacities[1] - (200 + 200 / 3.0) / 2) < 1e-9)
    #expect(utilisation.ofBlocks[0] == 0.3)
    #expect(abs(utilisation.ofBlocks[1] - 60 / (2 * (200 + 200 / 3.0) / 2)) < 1e-12)
  }

  /// Eight ranks share two cores of 100 operations per second. Their products of 10 operations end after 0.4 s,
  /// although each takes 0.1 s on the clock of its own rank; 40 operations of an update end after 0.4 s, too.
  @Test func ranksThatShareCoresHaveTheCapacityOfTheCores() {
    let utilisation = Utilisation(
      operations: [40], seconds: [0.4], productSeconds: [0.4, 0.4], productOperations: 10, ranks: 8)
    #expect(abs(utilisation.capacities[0] - 200) < 1e-9)
    #expect(abs(utilisation.ofBlocks[0] - 0.5) < 1e-12)
  }
}
