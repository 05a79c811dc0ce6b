// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every Swift target: the house rules the compiler can enforce.
let house: [SwiftSetting] = [
    // Lets our own views (`ByteReader`) borrow a `RawSpan`: the one experimental feature we allow.
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),  // `any P` must be spelled: it costs.
    .enableUpcomingFeature("MemberImportVisibility"),  // A file imports what it uses.
    .enableUpcomingFeature("InternalImportsByDefault"),  // An import is not re-exported by chance.
    .strictMemorySafety(),  // Every unsafe expression says `unsafe`.
    .treatAllWarnings(as: .error),
]

/// libipsec-mb exists for x86-64 only; elsewhere OpenSSL protects the packets.
/// `GATEWAY_NO_IPSEC_MB=1` builds the other way on any machine, so that both ways stay tested.
#if arch(x86_64)
    let hasIPSecMB = Context.environment["GATEWAY_NO_IPSEC_MB"] == nil
#else
    let hasIPSecMB = false
#endif
let ipsecMB: [Target.Dependency] = hasIPSecMB ? ["CIPSecMB"] : []
let ipsecMBSettings: [SwiftSetting] = hasIPSecMB ? [.define("HAS_IPSEC_MB")] : []

/// A library target of the house: `pure` ones cannot reach a socket, a clock or a file.
func room(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency],
    settings: [SwiftSetting] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(path)",
        swiftSettings: house + settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: house)
}

func library(_ name: String, pkgConfig: String?, debian: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

/// `GATEWAY_TESTS=ICETests,StreamTests` builds those test targets and what they need, and nothing
/// else: while working on one room, the others need not be compiled again and again.
let onlyTests = Context.environment["GATEWAY_TESTS"]?.split(separator: ",").map(String.init)

let package = Package(
    name: "gateway",
    products: [.executable(name: "gateway", targets: ["Gateway"])],
    targets: [
        room("Wire", "Wire", []),

        // One media model, and what every protocol shares of it.
        room("Media", "Media/Model", ["Wire"]),
        room("Codecs", "Media/Codecs", ["Wire", "Media"]),
        room("RTP", "Media/RTP", ["Wire", "Media", "Codecs"]),
        room("SDP", "Media/SDP", ["Wire", "Media"]),
        room("Stream", "Media/Stream", ["Wire", "Media", "Codecs", "RTP"]),
        room("Containers", "Media/Containers", ["Wire", "Media", "Codecs", "Stream"]),

        room(
            "Crypto", "Crypto", ["Wire", "COpenSSL", "CCryptoShims", "CSRTP"] + ipsecMB,
            settings: ipsecMBSettings),
        room("ICE", "ICE", ["Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Crypto"]),
        room("SCTP", "SCTP", ["Wire", "CSCTPShims"]),
        room("SRTPort", "SRTPort", ["Wire", "CSRTShims"]),
        room("HTTP", "Web/HTTP", ["Wire"]),
        room("WHIP", "Web/WHIP", ["Wire", "HTTP"]),
        room("Live", "Web/Live", ["Wire", "Media", "Stream", "Containers", "HTTP"]),
        room("HLS", "Web/HLS", ["Wire", "Media", "Codecs", "Stream", "Containers", "HTTP"]),
        room("Demo", "Ingest/Demo", ["Wire", "Media", "Codecs", "Stream"]),
        room(
            "RTMP", "Ingest/RTMP", ["Wire", "Media", "Codecs", "Stream", "Containers", "Crypto"]),
        room(
            "RTSP", "Ingest/RTSP",
            ["Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Crypto"]),
        room("SRT", "Ingest/SRT", ["Wire", "Media", "Stream", "Containers"]),
        room(
            "GB28181", "Ingest/GB28181",
            ["Wire", "Media", "RTP", "SDP", "Stream", "Containers", "Crypto"]),
        room(
            "Transcode", "Transcode", ["Wire", "Media", "Codecs", "COpus", "CTranscodeShims"]),

        room("System", "System", ["Wire", "CLinux"]),
        room("Settings", "Gateway/Config", ["Wire", "CYAML"]),
        .executableTarget(
            name: "Gateway",
            dependencies: [
                "Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Containers", "Crypto", "ICE",
                "SCTP", "HTTP", "WHIP", "Live", "HLS", "RTMP", "RTSP", "SRT", "SRTPort",
                "GB28181", "Demo",
                "Transcode", "System", "Settings", "CZlib",
            ],
            path: "Sources/Gateway", exclude: ["Config"], swiftSettings: house),

        // C: declarations that Swift cannot import by itself, and the libraries of Debian.
        .target(name: "CLinux", path: "Sources/CLinux"),
        .target(
            name: "CCryptoShims", dependencies: ["COpenSSL"] + ipsecMB,
            path: "Sources/CCryptoShims",
            cSettings: hasIPSecMB ? [.define("HAS_IPSEC_MB")] : []),
        .target(name: "CSCTPShims", dependencies: ["CUsrsctp"], path: "Sources/CSCTPShims"),
        .target(name: "CSRTShims", dependencies: ["CSRT"], path: "Sources/CSRTShims"),
        .target(
            name: "CTranscodeShims", dependencies: ["COpus", "CAVCodec"],
            path: "Sources/CTranscodeShims"),
        library("COpus", pkgConfig: "opus", debian: "libopus-dev"),
        // No flags for the linker: the libraries are loaded at run time.
        library("CAVCodec", pkgConfig: nil, debian: "libavcodec-dev"),
        library("CUsrsctp", pkgConfig: "usrsctp", debian: "libusrsctp-dev"),
        library("CSRT", pkgConfig: "srt", debian: "libsrt-openssl-dev"),
        library("COpenSSL", pkgConfig: "openssl", debian: "libssl-dev"),
        library("CSRTP", pkgConfig: "libsrtp2", debian: "libsrtp2-dev"),
        library("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        library("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),

        .target(
            name: "Simulation", dependencies: ["Wire"], path: "Tests/Simulation",
            swiftSettings: house),
        .target(
            name: "Browser", dependencies: ["Wire", "Media", "RTP", "Crypto", "ICE", "SCTP"],
            path: "Tests/Browser", swiftSettings: house),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .target(name: "CHeldClock", path: "Tests/CHeldClock"),
        .target(
            name: "CYardstick", dependencies: ["COpenSSL"] + ipsecMB, path: "bench/CYardstick",
            cSettings: hasIPSecMB ? [.define("HAS_IPSEC_MB")] : [],
            linkerSettings: hasIPSecMB ? [.linkedLibrary("IPSec_MB")] : []),
        .executableTarget(
            name: "CryptoBench", dependencies: ["Wire", "Crypto", "CYardstick"],
            path: "bench/Crypto", swiftSettings: house),
        .executableTarget(
            name: "FanOutBench",
            dependencies: [
                "Wire", "Media", "RTP", "Stream", "Crypto", "ICE", "System", "Browser",
                "CYardstick", "CAllocationCount",
            ],
            path: "bench/FanOut", exclude: ["instructions.py"], swiftSettings: house),
        .executableTarget(
            name: "EngineBench",
            dependencies: ["Wire", "System", "CYardstick", "CAllocationCount"],
            path: "bench/Engine", swiftSettings: house),
        .executableTarget(
            name: "TranscodeBench", dependencies: ["Wire", "Media", "Codecs", "Transcode"],
            path: "bench/Transcode", swiftSettings: house),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Containers", "Crypto", "ICE",
                "SCTP", "HTTP", "WHIP", "RTMP", "RTSP", "SRT", "GB28181", "Demo", "Settings",
                "Browser",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: house),
        tests("FuzzTests", ["Wire", "FuzzTargets", "Browser"]),
        tests("WireTests", ["Wire", "Simulation", "FuzzTargets"]),
        tests(
            "MediaTests",
            ["Wire", "Media", "Codecs", "RTP", "SDP", "Simulation", "CAllocationCount"]),
        tests(
            "ContainerTests", ["Wire", "Media", "Codecs", "Stream", "Containers", "Simulation"]),
        tests(
            "StreamTests",
            ["Wire", "Media", "Codecs", "RTP", "Stream", "Simulation", "CAllocationCount"]),
        tests("CryptoTests", ["Wire", "Crypto", "Simulation"]),
        tests(
            "ICETests",
            [
                "Wire", "Media", "RTP", "SDP", "Stream", "Crypto", "ICE", "Simulation", "Browser",
                "CAllocationCount",
            ]),
        tests(
            "SCTPTests",
            [
                "Wire", "ICE", "SCTP", "Simulation", "Browser", "CHeldClock", "CAllocationCount",
            ]),
        tests("DemoTests", ["Wire", "Media", "Codecs", "Stream", "Demo", "Simulation"]),
        tests(
            "IngestTests",
            [
                "Wire", "Media", "Codecs", "RTP", "SDP", "Stream", "Containers", "Crypto", "RTMP",
                "RTSP", "SRT", "GB28181", "Simulation",
            ]),
        tests(
            "WebTests",
            [
                "Wire", "Media", "Codecs", "Stream", "Containers", "HTTP", "WHIP", "HLS", "Live",
                "Simulation", "FuzzTargets",
            ]),
        tests(
            "TranscodeTests",
            [
                "Wire", "Media", "Codecs", "Transcode", "COpus", "CTranscodeShims", "Simulation",
                "CAllocationCount",
            ]),
        tests("SystemTests", ["Wire", "System", "CLinux", "CAllocationCount"]),
        tests(
            "GatewayTests",
            [
                "Wire", "Media", "RTP", "SDP", "Stream", "Crypto", "ICE", "SCTP", "HTTP", "WHIP",
                "System", "Settings", "Gateway", "Simulation", "Browser", "Containers", "RTMP",
                "RTSP", "SRT", "SRTPort", "GB28181", "Transcode", "Codecs",
            ]),
        tests("TidyTests", []),
    ] + (hasIPSecMB ? [library("CIPSecMB", pkgConfig: nil, debian: "libipsec-mb-dev")] : []),
    swiftLanguageModes: [.v6]
)

if let onlyTests {
    package.targets.removeAll { $0.type == .test && !onlyTests.contains($0.name) }
    if !onlyTests.contains("GatewayTests") {
        package.products = []
        package.targets.removeAll { $0.type == .executable }
    }
}
