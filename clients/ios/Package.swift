// swift-tools-version: 6.0
import PackageDescription

// Version 1.0.0
let package = Package(
    name: "shop-client",
    platforms: [.iOS(.v16), .macOS(.v13), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [
        .library(name: "ShopClient", targets: ["ShopClient"])
    ],
    targets: [
        .target(name: "ShopClient"),
        // From nothing to an order: swift run FirstOrder http://127.0.0.1:8080
        .executableTarget(
            name: "FirstOrder", dependencies: ["ShopClient"], path: "Example/FirstOrder"),
        // What a customer does, against a running shop, for tests of the client.
        .executableTarget(name: "Tour", dependencies: ["ShopClient"], path: "Tests/Tour"),
        .testTarget(name: "ShopClientTests", dependencies: ["ShopClient"]),
    ]
)
