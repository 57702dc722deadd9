//! Where it is measured: a veth pair between namespaces, the server on one end.

use crate::Setting;
use crate::options::Options;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use tests::client::query;
use tests::napi::{self, Napi};
use tests::netns::{End, Veth};
use tests::open_loop::Exchange;
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
        veth.client.features(&["tx", "off"]);
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
            napi::put_process_first(place.server.id(), 50);
        }
        // Attaching makes new NAPI instances, so not before.
        if setting.napi == Napi::Threaded {
            // Without an XDP program, an end of a veth pair has NAPI only for GRO's sake.
            place.veth.client.features(&["gro", "on"]);
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

/// Has kernel threads poll the interface, on `cpu`.
fn thread_napi(end: &End, cpu: usize, fifo: bool) {
    for thread in napi::thread(end) {
        napi::pin(thread, cpu);
        if fifo {
            // Above those that it has packets for, or it would never have its turn.
            napi::put_first(thread, 51);
        }
    }
}
