import Report
import Testing

@Suite struct MeasurementJSONTests {
  private struct Result: Encodable {
    let secondsPerUpdate: Double
    let lossByFrame: [Double?]
    let countAccuracy: Double?
    let parts: [String: Double]
    let checkpoint: String
  }

  @Test func keysAreSortedAndInSnakeCase() throws {
    let result = Result(
      secondsPerUpdate: 0.5, lossByFrame: [1, nil, .nan, -.infinity], countAccuracy: nil, parts: ["image encoder": 2],
      checkpoint: "a/b.h5")
    #expect(
      try MeasurementJSON.line(result)
        == "{\"checkpoint\":\"a/b.h5\",\"loss_by_frame\":[1,null,\"nan\",\"-inf\"],\"parts\":{\"image encoder\":2},"
        + "\"seconds_per_update\":0.5}")
  }
}
