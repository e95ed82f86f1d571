import Cluster
import Numerics
import Runs
import Testing

/// What a job says about the kernels of its processes.
@Suite struct JobKernelsTests {
  @Test func equalProcessorsGiveNoWarning() {
    for count in [1, 8] {
      let kernels = JobKernels(ofProcesses: Array(repeating: "avx512/x86-64-v4", count: count))
      #expect(kernels.description == "avx512/x86-64-v4")
      #expect(kernels.warnings(resumingFrom: "avx512/x86-64-v4").isEmpty)
      #expect(kernels.warnings(resumingFrom: nil).isEmpty)
    }
  }

  /// Errors of ranks on these kernels, of which some were told to accept others.
  private func refusals(_ kernels: [String], allowing: Set<Int> = []) -> [String?] {
    Communicator.inMemory(ranks: kernels.count) { communicator in
      let rank = communicator.rank
      try JobKernels.requireEqual(communicator, kernels: kernels[rank], isAllowed: allowing.contains(rank))
    }.map { result in
      if case .failure(let error) = result { return "\(error)" }
      return nil
    }
  }

  @Test func differentProcessorsAreRefusedUnlessAllRanksAllowThem() throws {
    let kernels = ["avx512/x86-64-v4", "avx2/x86-64-v3", "avx512/x86-64-v4"]
    for texts in [refusals(kernels), refusals(kernels, allowing: [0, 1])] {
      #expect(Set(texts).count == 1)
      let text = try #require(texts[0])
      #expect(
        text.contains("avx512/x86-64-v4 on ranks 0, 2 (") && text.contains("avx2/x86-64-v3 on rank 1 ("), "\(text)")
      #expect(text.contains("set SQAIR_MIXED_KERNELS=1 for all ranks"), "\(text)")
    }
    #expect(refusals(kernels, allowing: [0, 1, 2]) == [nil, nil, nil])
    #expect(refusals(["a", "a"]) == [nil, nil] && refusals(["a"]) == [nil])
  }

  @Test func aChangeOfProcessorsIsReported() throws {
    let kernels = JobKernels(ofProcesses: ["avx2/x86-64-v3", "avx2/x86-64-v3"])
    let warnings = kernels.warnings(resumingFrom: "avx512/x86-64-v4")
    #expect(warnings.count == 1)
    #expect(warnings[0].contains("with the kernels avx512/x86-64-v4, this job runs on avx2/x86-64-v3."))
  }

  @Test func processorsThatDifferAreTold() {
    let kernels = JobKernels(ofProcesses: ["avx512/x86-64-v4", "avx2/x86-64-v3", "avx512/x86-64-v4"])
    #expect(kernels.description == "avx2/x86-64-v3 + avx512/x86-64-v4")
    let warnings = kernels.warnings(resumingFrom: kernels.description)
    #expect(warnings.count == 1)
    #expect(warnings[0].contains("avx2/x86-64-v3 on 1 process, avx512/x86-64-v4 on 2 processes."))
    #expect(kernels.warnings(resumingFrom: "avx512/x86-64-v4").count == 2)
  }

  @Test func aPrecisionThatAProcessorLacksIsRefusedOnAllRanks() throws {
    let texts = Communicator.inMemory(ranks: 3) { communicator in
      try JobKernels.require(.bfloat16, communicator) { _ in communicator.rank != 1 }
    }.map { result in
      if case .failure(let error) = result { return "\(error)" }
      return ""
    }
    #expect(Set(texts).count == 1)
    #expect(
      texts[0].contains("rank 1") && texts[0].contains("has no AVX512-BF16, which training.precision=bf16 needs"),
      "\(texts)")
    try JobKernels.require(.float32, .alone())
  }

  /// Both parts are known on every processor; on x86-64 the wide product kernels imply a level.
  @Test func thisProcessorHasAName() {
    let parts = LinearAlgebra.kernels.split(separator: "/")
    #expect(parts.count == 2)
    #expect(["avx512", "avx2", "portable"].contains(parts[0]))
    #expect(["x86-64-v4", "x86-64-v3", "x86-64", "baseline"].contains(parts[1]))
  }
}
