// swift-tools-version: 6.0
import PackageDescription

// The run-time of the client, with messages of made-up contracts: it holds to the table of ProtoJSON
// cases. `protojson_program.py` puts the rest of the sources beside it.
let package = Package(
    name: "protojson",
    platforms: [.iOS(.v16), .macOS(.v13)],
    targets: [
        .target(name: "LibraryClient"),
        .executableTarget(name: "ProtoJSONProgram", dependencies: ["LibraryClient"]),
        .testTarget(
            name: "ProtoJSONTests", dependencies: ["LibraryClient"],
            resources: [.copy("cases.json")]),
    ]
)
