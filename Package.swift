// swift-tools-version: 6.1
import PackageDescription

// Modules and their dependencies (an arrow reads "is imported by"):
//
//   CKernels <- Numerics <- Models <- Runs <- Evaluation <- Training <- Diagnostics <- sqair-dist
//   MovingDigits, Storage, Cluster, Report, Video <- Runs
//   Tracking, Video <- Evaluation
//   Processes <- Storage, Video
//
// Numerical code does not depend on processes, nor communication and storage on the model.
// `scripts/test` builds with `--explicit-target-dependency-import-check error`, so an import
// against the arrows does not compile.

let package = Package(
  name: "sqair-dist",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "sqair-dist", targets: ["sqair-dist"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    // System libraries, by pkg-config; no flags of our own.
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/System/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "COpenMPI", path: "Sources/System/COpenMPI", pkgConfig: "ompi-c",
      providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "CHDF5Library", path: "Sources/System/CHDF5Library", pkgConfig: "hdf5-serial",
      providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "CCrypto", path: "Sources/System/CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CPNG", path: "Sources/System/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "CGIF", path: "Sources/System/CGIF", pkgConfig: "libgif",
      providers: [.apt(["libgif-dev"])]),
    .systemLibrary(
      name: "CProtobufC", path: "Sources/System/CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"])]),

    // C shims: what Swift cannot say (macros, handles, vector clones).
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))]),
    .target(name: "CMPI", dependencies: ["COpenMPI"]),
    .target(name: "CHDF5", dependencies: ["CHDF5Library"]),
    .target(name: "CEventProtobuf", dependencies: ["CProtobufC"]),
    .target(name: "CAllocationCount"),

    // The modules.
    .target(name: "Processes"),
    .target(name: "Numerics", dependencies: ["CKernels", "COpenBLAS"]),
    .target(name: "Models", dependencies: ["CKernels", "Numerics"]),
    .target(name: "MovingDigits", dependencies: ["Numerics", "CZlib"]),
    .target(name: "Storage", dependencies: ["CHDF5", "CCrypto", "CZlib", "Processes"]),
    .target(name: "Cluster", dependencies: ["CMPI"]),
    .target(name: "Report", dependencies: ["CPNG", "CGIF", "CZlib", "CEventProtobuf"]),
    .target(name: "Tracking"),
    .target(name: "Video", dependencies: ["Processes"]),
    .target(
      name: "Runs",
      dependencies: ["Numerics", "Models", "MovingDigits", "Storage", "Cluster", "Report", "Video"]),
    .target(
      name: "Evaluation",
      dependencies: ["Numerics", "Models", "Storage", "Cluster", "Report", "Tracking", "Video", "Runs"]),
    .target(
      name: "Training",
      dependencies: ["Numerics", "Models", "Storage", "Cluster", "Report", "Runs", "Evaluation"]),
    .target(
      name: "Diagnostics",
      dependencies: ["Numerics", "Models", "Storage", "Cluster", "Report", "Runs", "Training"]),
    .executableTarget(
      name: "sqair-dist",
      dependencies: [
        "MovingDigits", "Storage", "Cluster", "Report", "Runs", "Evaluation", "Training", "Diagnostics", "Video",
        "CAllocationCount",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      plugins: ["BuildCommit"]),
    // Tells the program which commit it was built from.
    .plugin(name: "BuildCommit", capability: .buildTool(), path: "Sources/Plugins/BuildCommit"),

    // Tests mirror the modules.
    // `cluster-probe` is the program that the tests of Cluster start under mpirun.
    .executableTarget(
      name: "cluster-probe", dependencies: ["Cluster", "ClusterExercises"], path: "Tests/ClusterProbe"),
    // What ranks do together in these tests, over MPI and in the memory of one process.
    .target(name: "ClusterExercises", dependencies: ["Cluster"], path: "Tests/ClusterExercises"),
    // `storage-probe` is the program that the tests of Storage kill while it saves.
    .executableTarget(name: "storage-probe", dependencies: ["Storage", "TestSupport"], path: "Tests/StorageProbe"),
    // `fuzz` reads mutated files; `scripts/fuzz` runs it.
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CZlib", "MovingDigits", "Report", "Runs", "Storage", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Fuzz", exclude: ["Found", "Seeds"]),
    .target(
      name: "TestSupport", dependencies: ["Processes", "Storage", "Numerics", "Runs"], path: "Tests/TestSupport"),
    .testTarget(name: "NumericsTests", dependencies: ["Numerics", "CKernels", "TestSupport"]),
    .testTarget(
      name: "ModelsTests", dependencies: ["Models", "Numerics", "Storage", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "MovingDigitsTests", dependencies: ["MovingDigits", "Numerics", "TestSupport"]),
    .testTarget(name: "StorageTests", dependencies: ["Storage", "TestSupport"]),
    .testTarget(name: "ClusterTests", dependencies: ["Cluster", "ClusterExercises", "CMPI", "TestSupport"]),
    .testTarget(name: "ReportTests", dependencies: ["Report", "CGIF", "TestSupport"]),
    .testTarget(
      name: "TrackingTests", dependencies: ["Tracking", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(name: "VideoTests", dependencies: ["Video", "TestSupport"]),
    .testTarget(
      name: "RunsTests",
      dependencies: ["Runs", "Models", "Storage", "Numerics", "Cluster", "Video", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "Runs", "Models", "Numerics", "MovingDigits", "Storage", "Tracking", "TestSupport",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Runs", "Models", "Storage", "Cluster", "Numerics", "Report", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
    .testTarget(name: "CommandTests", dependencies: ["Runs", "Storage", "TestSupport", "CPNG"]),
  ]
)
