//! Where it is measured: a veth pair between namespaces, the server on one end.

use crate::Setting;
use crate::client::Exchange;
use crate::options::Options;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, gettid};
use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use tests::client::query;
use tests::netns::{End, Veth};
use tests::record::rtype;
use tests::server::{Launch, Server};

/// Names of the zone.
const NAMES: u16 = 1000;
/// What the name `number` is, and its address.
fn host(number: u16) -> (String, Ipv4Addr) {
    let [high, low] = number.to_be_bytes();
    let name = format!("host{number:04}.latency.example");
    (name, Ipv4Addr::new(10, 0, high, low))
}

/// Who drives the receive side of both ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Napi {
    /// The CPU of the sender, in its softirq: Linux's default.
    Softirq,
    /// A kernel thread of each end's own, on that end's CPU.
    Threaded,
}

/// What runs on the server's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Answers.
    Server,
    /// Sends every query back: the ceiling.
    Echo,
}

/// The CPUs of the two ends.
#[derive(Clone, Copy)]
pub(crate) struct Cpus {
    /// The worker's, and its NAPI thread's.
    pub(crate) server: usize,
    /// The client's, and its NAPI thread's.
    pub(crate) client: usize,
}

/// A running server and the way to it.
pub(crate) struct Place {
    /// The process. Declared first: it must be gone before its namespace is.
    pub(crate) server: Server,
    /// The pair.
    pub(crate) veth: Veth,
}

impl Place {
    /// Makes the pair and starts the server on it.
    pub(crate) fn new(options: &Options, setting: &Setting, cpus: Cpus) -> Self {
        let veth = Veth::new(1);
        // As a wire has them: checksums complete.
        ethtool(&veth.client, &["tx", "off"]);
        let cpu = cpus.server.to_string();
        let mut launch = Launch::run(&["--interface", veth.server.interface, "--io", "xdp"])
            .with(&["--cpus", &cpu, "--idle", &setting.mode])
            .with(
                &options
                    .server
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            )
            .within(&veth.server.namespace)
            .zone("latency.example", &zone());
        if setting.role == Role::Echo {
            launch = launch.with(&["--reflect"]);
        }
        let place = Self {
            server: launch.start(),
            veth,
        };
        if options.fifo {
            let id = place.server.id().to_string();
            chrt(&["--all-tasks", "--fifo", "--pid", "50", &id]);
        }
        // Attaching makes new NAPI instances, so not before.
        if setting.napi == Napi::Threaded {
            // Without an XDP program, an end of a veth pair has NAPI only for GRO's sake.
            ethtool(&place.veth.client, &["gro", "on"]);
            thread_napi(&place.veth.server, cpus.server, options.fifo);
            thread_napi(&place.veth.client, cpus.client, options.fifo);
        }
        place
    }

    /// The server's address.
    pub(crate) fn address(&self) -> SocketAddr {
        (self.veth.server.ipv4, 53).into()
    }
}

/// The zone.
fn zone() -> String {
    let mut text = "@ 3600 SOA ns hostmaster 1 7200 3600 1209600 300\n".to_owned();
    text += "@ 3600 NS ns\nns 3600 A 10.53.0.1\n";
    for number in 0..NAMES {
        let (name, address) = host(number);
        let _ = writeln!(text, "{name}. 300 A {address}");
    }
    text
}

/// A query for each name, with what `role` makes of it.
pub(crate) fn exchanges(role: Role) -> Vec<Exchange> {
    let exchange = |number| {
        let (name, address) = host(number);
        let mut query = query(&name, rtype::A);
        query[..2].fill(0);
        let reply = match role {
            Role::Echo => query.clone(),
            Role::Server => answer(&query, address),
        };
        Exchange { query, reply }
    };
    (0..NAMES).map(exchange).collect()
}

/// The answer to a plain query for an address (RFC 1035 §4).
fn answer(query: &[u8], address: Ipv4Addr) -> Vec<u8> {
    let mut reply = query.to_vec();
    // QR and AA; one answer.
    reply[2] |= 0x84;
    reply[7] = 1;
    // The question's name, A, IN, 300 seconds, four bytes.
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
    reply.extend(address.octets());
    reply
}

/// Has kernel threads poll the interface (Documentation/networking/napi.rst), on `cpu`.
fn thread_napi(end: &End, cpu: usize, fifo: bool) {
    let before = napi_threads(end.interface);
    let write = format!("echo 1 > /sys/class/net/{}/threaded", end.interface);
    let mut shell = end.namespace.command("sh");
    assert!(shell.args(["-c", &write]).status().expect("sh").success());
    let mut set = CpuSet::new();
    set.set(cpu).expect("a CPU of this machine");
    // Other namespaces may have an interface of this name: only what is new is ours.
    let threads = napi_threads(end.interface);
    let ours: Vec<_> = threads.difference(&before).collect();
    assert!(!ours.is_empty(), "{}: no NAPI thread", end.interface);
    for &&thread in &ours {
        sched_setaffinity(Pid::from_raw(thread), &set).expect("root may");
        if fifo {
            // Above those that it has packets for, or it would never have its turn.
            chrt(&["--fifo", "--pid", "51", &thread.to_string()]);
        }
    }
}

/// The kernel threads that poll interfaces of this name.
fn napi_threads(interface: &str) -> HashSet<i32> {
    let prefix = format!("napi/{interface}-");
    let named = |process: &fs::DirEntry| {
        let name = fs::read_to_string(process.path().join("comm"));
        name.is_ok_and(|name| name.starts_with(&prefix))
    };
    let processes = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let ids = processes.filter(named).map(|process| process.file_name());
    ids.filter_map(|id| id.to_str()?.parse().ok()).collect()
}

/// Puts the calling thread before all that runs in the normal way.
pub(crate) fn go_first() {
    chrt(&["--fifo", "--pid", "50", &gettid().to_string()]);
}

/// Runs `chrt` from util-linux, which every Linux has.
fn chrt(words: &[&str]) {
    let status = Command::new("chrt").args(words).status();
    assert!(status.expect("chrt").success(), "chrt {words:?}");
}

/// Runs `ethtool -K` on an end's interface.
fn ethtool(end: &End, words: &[&str]) {
    let mut command = end.namespace.command("ethtool");
    command.args(["-K", end.interface]).args(words);
    let output = command.output().expect("ip");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
}
