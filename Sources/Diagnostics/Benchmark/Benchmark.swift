import Cluster
import Numerics
import Runs

/// Runs a benchmark and prints the result. Every process of the job calls this.
public func runBenchmark(_ request: BenchmarkRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "benchmark",
    [
      .init("mode", "\(request.mode)"), .init("--frames", "\(request.frames)"),
      .init("--checkpoint", request.checkpoint == nil ? "not given" : "given"),
      .init("--updates", "\(request.updates)"), .init("--json", "\(request.json)"),
    ] + request.configuration.agreementFields)
  let context = try BenchmarkContext(request, communicator)
  defer { context.removeSequences() }
  func output(_ text: @autoclosure () -> String, _ json: @autoclosure () throws -> String) throws {
    if communicator.isRoot { print(request.json ? try json() : text()) }
  }
  switch request.mode {
  case .updates(let dense):
    for frames in request.frames {
      var workload = context.workload
      workload.frames = frames
      if dense { workload.noise = .everySlot() }
      let report = UpdateReport(
        measurement: try context.measure(workload), source: dense ? "every slot live" : context.source)
      try output(report.text, report.json())
    }
  case .sweep(let pictures):
    try communicator.collectively("preparing the folder for the charts") {
      if communicator.isRoot, let pictures { try CostSweep.prepare(pictures, checkpoint: request.checkpoint) }
    }
    for sweep in try CostSweep.all(context) {
      try output(sweep.text, sweep.json())
      try communicator.collectively("drawing the charts") {
        if communicator.isRoot, let pictures { try sweep.draw(in: pictures) }
      }
    }
  case .scaling(let latency, let bandwidth, let ranksPerHost):
    let scaling = try ScalingBenchmark(
      context, latency: latency, bandwidth: bandwidth, ranksPerHost: ranksPerHost)
    try output(scaling.text, scaling.json())
  case .stall:
    let stall = try StallMeasurement(context)
    try output(stall.text, stall.json())
  }
  try communicator.finish()
}
