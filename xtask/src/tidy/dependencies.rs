//! Which crate may be named where: what a dependency leaks into is what its next release breaks.

/// Dependencies with a place of their own, and how the paths begin where they may be named.
/// Whatever is not listed may be named anywhere.
pub(super) const PLACES: &[(&str, &[&str])] = &[
    ("aya", &["userspace/src/bpf", "tests/"]),
    ("aya_ebpf", &["xdp-ebpf/"]),
    ("aya_log", &["userspace/src/bpf", "tests/"]),
    ("aya_log_ebpf", &["xdp-ebpf/"]),
    (
        "clap",
        &[
            "userspace/src/main.rs",
            "userspace/src/config",
            "userspace/src/manual",
            "xtask/",
        ],
    ),
    // What it knows of the command line, for shells and for man(1).
    (
        "clap_complete",
        &["userspace/src/config/arguments", "userspace/src/manual"],
    ),
    ("clap_mangen", &["userspace/src/manual"]),
    // Master files go through its scanner, and the query log shows records by it.
    (
        "domain",
        &[
            "userspace/src/zone/",
            "userspace/src/querylog/json",
            "userspace/src/server/resources/report/query",
            "tests/",
        ],
    ),
    (
        "etherparse",
        &[
            "userspace/src/packet/headers",
            "userspace/src/querylog/output/pcap",
            "tests/",
        ],
    ),
    // Its messages allocate: control plane, TSIG, and the tests' clients and second opinions.
    (
        "hickory_proto",
        &["userspace/src/control", "userspace/src/tsig", "tests/"],
    ),
    ("loom", &["tests/tests/mailbox_model"]),
    ("maxminddb", &["userspace/src/geo/load", "tests/"]),
    ("http_body_util", &["userspace/src/server/http"]),
    ("hyper", &["userspace/src/server/http"]),
    ("hyper_util", &["userspace/src/server/http"]),
    ("libmimalloc_sys", &["userspace/src/sys/heap"]),
    ("mimalloc", &["userspace/src/main.rs"]),
    ("netlink_packet_core", &["userspace/src/sys/netlink"]),
    (
        "netlink_packet_route",
        &[
            "userspace/src/sys/netlink",
            "userspace/src/routing/",
            "tests/benches/core",
        ],
    ),
    // The kernel's side of things: system calls, sockets, rings.
    (
        "nix",
        &[
            "userspace/src/sys",
            "userspace/src/port/",
            "userspace/src/tcp/kernel",
            "tests/",
            "xtask/",
        ],
    ),
    ("plotters", &["tests/src/bin/plots/"]),
    ("prost", &["userspace/src/querylog/output/dnstap", "tests/"]),
    (
        "siphasher",
        &[
            "userspace/src/packet/cookie",
            "userspace/src/packet/name_key",
        ],
    ),
    ("sha1", &["userspace/src/zone/nsec3"]),
    ("syn", &["xtask/src/tidy/"]),
    // The control side's runtime: never on a worker's thread.
    (
        "tokio",
        &[
            "userspace/src/querylog/live/",
            "userspace/src/server/http",
            "userspace/src/server/live",
            "userspace/src/server/runtime",
        ],
    ),
    ("twox_hash", &["userspace/src/zone/image/file"]),
    ("zstd", &["userspace/src/querylog/output/file", "tests/"]),
    ("xsk_rs", &["userspace/src/port/xsk"]),
];

/// Where the `unsafe` keyword may stand: each of these files says why and gives safe types.
pub(super) const UNSAFE: &[&str] = &[
    "tests/src/alloc",
    "tests/src/redirect",
    "tests/src/tap",
    "userspace/src/bpf",
    "userspace/src/port/socket/datagrams",
    "userspace/src/port/xsk",
    "userspace/src/prefetch",
    "userspace/src/simd",
    "userspace/src/sys",
    "xdp-ebpf/src/",
];

/// Whether `path` lies in one of `places`.
pub(super) fn is_within(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}
