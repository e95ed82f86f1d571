import Numerics
import Runs
import Testing

/// What a job says about the kernels of its processes.
@Suite struct JobKernelsTests {
  @Test func equalProcessorsAreNoNews() {
    for count in [1, 8] {
      let kernels = JobKernels(ofProcesses: Array(repeating: "avx512/x86-64-v4", count: count))
      #expect(kernels.description == "avx512/x86-64-v4")
      #expect(kernels.warnings(resumingFrom: "avx512/x86-64-v4").isEmpty)
      #expect(kernels.warnings(resumingFrom: nil).isEmpty)
    }
  }

  @Test func otherProcessorsThanBeforeAreTold() throws {
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

  /// Both parts are known on every processor; on x86-64 the wide product kernels imply a level.
  @Test func thisProcessorHasAName() {
    let parts = LinearAlgebra.kernels.split(separator: "/")
    #expect(parts.count == 2)
    #expect(["avx512", "avx2", "portable"].contains(parts[0]))
    #expect(["x86-64-v4", "x86-64-v3", "x86-64", "baseline"].contains(parts[1]))
  }
}
