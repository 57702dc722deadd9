//! Debian's packages that the commands need: which, what for, and how to see that one is there.

use crate::shell;
use std::path::{Path, PathBuf};

/// A system package and the reason to have it.
#[derive(Debug)]
pub(crate) struct Package {
    /// Debian's and Ubuntu's name for it.
    pub(crate) name: &'static str,
    /// What is looked for: whoever has it from elsewhere needs no package.
    gives: Gives,
    /// Who asks for it.
    pub(crate) why: &'static str,
}

/// What shows that a package's content is on the machine.
#[derive(Debug)]
enum Gives {
    Command(&'static str),
    Header(&'static str),
    /// In the folder of libraries, of whatever architecture.
    Library(&'static str),
    /// Where Debian's Python finds what it has no command for.
    Python(&'static str),
}

/// What compiling the workspace needs beyond Rust and a C compiler: `libxdp` and `libbpf` are C.
pub(crate) const BUILD: &[Package] = &[
    command("make", "make", "builds libbpf (xsk-rs)"),
    command(
        "pkg-config",
        "pkg-config",
        "finds libelf for libbpf (xsk-rs)",
    ),
    command("m4", "m4", "expands libxdp's dispatcher (xsk-rs)"),
    command(
        "clang",
        "clang",
        "compiles libxdp's dispatcher and reads C headers (xsk-rs)",
    ),
    header("libelf-dev", "libelf.h", "libbpf reads BPF objects with it"),
    header(
        "zlib1g-dev",
        "zlib.h",
        "libbpf reads compressed objects with it",
    ),
];

/// What the demonstration's network needs.
pub(crate) const DEMO: &[Package] = &[
    command(
        "iproute2",
        "ip",
        "makes the network namespaces and the veth pair",
    ),
    command(
        "ethtool",
        "ethtool",
        "switches checksum offload off on a veth peer",
    ),
];

/// What the tests ask, beyond [`BUILD`] and [`DEMO`]: servers to compare with, clients, load.
pub(crate) const TEST: &[Package] = &[
    command("knot", "knotd", "a server to compare answers with"),
    command("nsd", "nsd", "a server to compare answers with"),
    command("bind9", "named", "a server to compare answers with"),
    command(
        "bind9-utils",
        "dnssec-signzone",
        "a second opinion on zone files, and signed ones",
    ),
    command("xz-utils", "xz", "unpacks the conformance cases"),
    command("bind9-dnsutils", "dig", "an independent client"),
    command(
        "knot-dnsutils",
        "kdig",
        "an independent client; kxdpgun for load",
    ),
    command("dnsperf", "dnsperf", "load over UDP and TCP"),
    command("fstrm-bin", "fstrm_capture", "a reader of Frame Streams"),
    command("tcpdump", "tcpdump", "reads capture files"),
    command("zstd", "zstd", "reads compressed query logs"),
    command("strace", "strace", "makes the server's system calls fail"),
    command("systemd", "systemd-analyze", "reads the unit file"),
    python(
        "python3-prometheus-client",
        "prometheus_client/openmetrics/parser.py",
        "an independent reader of metrics",
    ),
    python(
        "python3-yaml",
        "yaml/__init__.py",
        "reads the alerts of dist/prometheus",
    ),
    command(
        "prometheus",
        "promtool",
        "checks the alerts of dist/prometheus",
    ),
];

/// What is measured beside Ripples, and with what, beyond [`BUILD`] and [`DEMO`].
pub(crate) const PEERS: &[Package] = &[
    command("knot", "knotd", "a server to measure beside"),
    command("nsd", "nsd", "a server to measure beside"),
    command("bind9", "named", "a server to measure beside"),
    command("pdns-server", "pdns_server", "a server to measure beside"),
    library(
        "pdns-backend-bind",
        "pdns/libbindbackend.so",
        "lets PowerDNS serve master files",
    ),
    command("gdnsd", "gdnsd", "a server to measure beside"),
    command("knot-dnsutils", "kxdpgun", "load past the kernel"),
    command("dnsperf", "dnsperf", "load over sockets"),
    command("util-linux", "chrt", "puts NAPI threads first"),
];

/// What counting instructions needs beyond [`BUILD`].
pub(crate) const CALLGRIND: &[Package] = &[command(
    "valgrind",
    "valgrind",
    "counts instructions (bench core --callgrind)",
)];

/// What fuzzing needs beyond [`BUILD`].
pub(crate) const FUZZ: &[Package] = &[command("g++", "c++", "compiles libFuzzer")];

/// Those packages of which nothing was found, each once.
pub(crate) fn missing(groups: &[&'static [Package]]) -> Vec<&'static Package> {
    let mut missing: Vec<&'static Package> = Vec::new();
    for package in groups.iter().flat_map(|group| group.iter()) {
        let known = missing.iter().any(|other| other.name == package.name);
        if !known && !package.is_there() {
            missing.push(package);
        }
    }
    missing
}

impl Package {
    /// Whether what the package gives is on this machine.
    fn is_there(&self) -> bool {
        match self.gives {
            Gives::Command(name) => shell::find_program(name).is_some(),
            Gives::Header(name) => ["/usr/include", "/usr/local/include"]
                .iter()
                .any(|directory| Path::new(directory).join(name).is_file()),
            Gives::Python(name) => Path::new("/usr/lib/python3/dist-packages")
                .join(name)
                .is_file(),
            Gives::Library(name) => libraries().any(|folder| folder.join(name).is_file()),
        }
    }
}

/// Folders of libraries: `/usr/lib`, and one below it per architecture.
fn libraries() -> impl Iterator<Item = PathBuf> {
    let below = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let below = below.map(|entry| entry.path());
    std::iter::once(PathBuf::from("/usr/lib")).chain(below)
}

const fn command(name: &'static str, command: &'static str, why: &'static str) -> Package {
    let gives = Gives::Command(command);
    Package { name, gives, why }
}

const fn python(name: &'static str, path: &'static str, why: &'static str) -> Package {
    let gives = Gives::Python(path);
    Package { name, gives, why }
}

const fn library(name: &'static str, path: &'static str, why: &'static str) -> Package {
    let gives = Gives::Library(path);
    Package { name, gives, why }
}

const fn header(name: &'static str, header: &'static str, why: &'static str) -> Package {
    let gives = Gives::Header(header);
    Package { name, gives, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_missing_only_while_nothing_of_it_is_found() {
        static GROUP: &[Package] = &[
            command("dash", "sh", "is on every machine"),
            command("nothing", "no-such-command", "is on none"),
            header("nothing-dev", "no-such-header.h", "is on none"),
            library("nothing-backend", "no-such-library.so", "is on none"),
        ];
        let names: Vec<_> = missing(&[GROUP]).iter().map(|p| p.name).collect();
        assert_eq!(names, ["nothing", "nothing-dev", "nothing-backend"]);
    }

    #[test]
    fn a_package_that_two_commands_need_is_named_once() {
        static GROUP: &[Package] = &[command("nothing", "no-such-command", "is on none")];
        assert_eq!(missing(&[GROUP, GROUP]).len(), 1);
    }
}
