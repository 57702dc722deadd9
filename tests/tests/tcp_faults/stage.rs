//! Where it happens: a server in a network namespace, and its clients.

use ripples::tcp::TcpClose;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;
use tests::client::query;
use tests::netns::{Namespace, Veth, ip, privileged};
use tests::process;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Server};
use tests::stats::Stats;
use tests::tcp::{Client, framed};
use tests::wire::usage;

/// The port of DNS.
const PORT: u16 = 53;
/// So many looks in succession with as many descriptors mean that there will be no fewer.
const LOOKS_AT_REST: usize = 10;
/// Strings at `huge.example`: its reply has as many bytes as a message may have, nearly.
pub(crate) const HUGE_COUNT: u16 = 246;

/// How UDP comes in. TCP comes by kernel sockets in any case.
#[derive(Clone, Copy)]
pub(crate) enum Path {
    /// Kernel sockets on the loopback of one namespace.
    Sockets,
    /// AF_XDP on a veth pair between two.
    Xdp,
}

/// A running server and where its clients are.
pub(crate) struct Stage {
    /// The process. Declared first: it must be gone before its namespace is.
    pub(crate) server: Server,
    /// Where it answers.
    pub(crate) address: SocketAddr,
    network: Network,
}

enum Network {
    Alone(Namespace),
    Veth(Veth),
}

impl Stage {
    /// A server with this configuration, on kernel sockets; none where the test may not.
    pub(crate) fn new(toml: &str) -> Option<Self> {
        Self::on(Path::Sockets, toml, |launch| launch)
    }

    /// A server that is started in a special way.
    pub(crate) fn on(
        path: Path,
        toml: &str,
        prepare: impl FnOnce(Launch) -> Launch,
    ) -> Option<Self> {
        let mut stage = Self::begin(path, toml, prepare)?;
        stage.server.await_log("ready\n");
        Some(stage)
    }

    /// As `on`, without waiting for the server to be ready.
    pub(crate) fn begin(
        path: Path,
        toml: &str,
        prepare: impl FnOnce(Launch) -> Launch,
    ) -> Option<Self> {
        if !privileged() {
            return None;
        }
        process::raise_descriptors();
        let network = Network::new(path);
        let address = network.address();
        let launch = Launch::run(&["--config", "r.toml", "--listen", &address.to_string()]);
        let launch = match &network {
            Network::Alone(_) => launch.with(&["--io", "socket"]),
            Network::Veth(veth) => {
                launch.with(&["--io", "xdp", "--interface", veth.server.interface])
            }
        };
        let launch = launch.file("r.toml", toml).zone("example", &zone());
        let server = prepare(launch).within(network.server()).begin();
        Some(Self {
            server,
            address,
            network,
        })
    }

    /// Runs `work` where the clients are.
    pub(crate) fn client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.network.client().run(work)
    }

    /// The namespace that the clients are in.
    pub(crate) fn clients(&self) -> &Namespace {
        self.network.client()
    }

    /// Packets that the link between server and clients has dropped, in either direction: a queue
    /// of the kernel's was full.
    pub(crate) fn dropped_by_link(&self) -> u64 {
        match &self.network {
            Network::Alone(_) => 0,
            Network::Veth(veth) => [&veth.server, &veth.client]
                .into_iter()
                .map(|end| end.namespace.run(|| dropped_sending(end.interface)))
                .sum(),
        }
    }

    /// An address of the client network (an IPv4 /24) with this number.
    pub(crate) fn source(&self, network: usize, host: u8) -> IpAddr {
        let [.., high, low] = u32::try_from(network).expect("few networks").to_be_bytes();
        IpAddr::V4(match self.network {
            Network::Alone(_) => Ipv4Addr::new(127, 64 + high, low, host),
            Network::Veth(_) => Ipv4Addr::new(10, 128 + high, low, host),
        })
    }

    /// A connection from the client network with this number.
    pub(crate) fn connect(&self, network: usize, host: u8) -> Client {
        let source = self.source(network, host);
        Client::connect_from(source, self.address)
            .unwrap_or_else(|error| panic!("{source} to {}: {error}", self.address))
    }

    /// Waits until no connection is open but `left`; each that was must count under one reason.
    pub(crate) fn await_open(&self, left: u64) -> Stats {
        self.server.await_stats(|stats| {
            let accepted = stats.tcp("events.accepted");
            stats.tcp("open") == left && accepted == left + closed(stats)
        })
    }

    /// The server's descriptors while it has no connection, of an operator's neither.
    pub(crate) fn descriptors_at_rest(&self) -> usize {
        // Answers mean that all of it has been started.
        self.await_open(0);
        let count = || process::descriptor_count(self.server.id());
        // On a busy machine an operator's connection may stay for some of these looks.
        let (mut before, mut looks) = (count(), 0);
        while looks < LOOKS_AT_REST {
            thread::park_timeout(Duration::from_millis(20));
            let now = count();
            looks = if now == before { looks + 1 } else { 0 };
            before = now;
        }
        before
    }

    /// The server's soft and hard limit of descriptors.
    pub(crate) fn limit_of_descriptors(&self) -> (String, String) {
        let file = format!("/proc/{}/limits", self.server.id());
        let text = std::fs::read_to_string(file).expect("it runs");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"));
        let mut words = line.expect("Linux says so").split_whitespace();
        let mut next = || words.next().expect("two limits").to_owned();
        (next(), next())
    }
}

impl Network {
    fn new(path: Path) -> Self {
        match path {
            Path::Sockets => Self::Alone(Namespace::alone()),
            Path::Xdp => {
                let veth = Veth::new(2);
                // All of these networks are the client's.
                let (server, client) = (&veth.server, &veth.client);
                ip(&format!(
                    "-n {} route add local 10.128.0.0/9 dev lo",
                    client.namespace.name()
                ));
                ip(&format!(
                    "-n {} route add 10.128.0.0/9 via {}",
                    server.namespace.name(),
                    client.ipv4
                ));
                Self::Veth(veth)
            }
        }
    }

    fn address(&self) -> SocketAddr {
        let ip = match self {
            Self::Alone(_) => Ipv4Addr::new(127, 0, 0, 53),
            Self::Veth(veth) => veth.server.ipv4,
        };
        SocketAddr::new(ip.into(), PORT)
    }

    fn server(&self) -> &Namespace {
        match self {
            Self::Alone(namespace) => namespace,
            Self::Veth(veth) => &veth.server.namespace,
        }
    }

    fn client(&self) -> &Namespace {
        match self {
            Self::Alone(namespace) => namespace,
            Self::Veth(veth) => &veth.client.namespace,
        }
    }
}

/// Packets that this interface should have sent and has dropped.
fn dropped_sending(interface: &str) -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").expect("Linux has it");
    usage::dropped_sending(&table, interface).expect("the interface is there")
}

/// Connections that were closed, whatever the reason.
pub(crate) fn closed(stats: &Stats) -> u64 {
    let count = |reason: &TcpClose| stats.tcp(&format!("closed.{}", reason.label()));
    TcpClose::ALL.iter().map(count).sum()
}

/// The zone of the end-to-end tests, with a set that fills a message.
fn zone() -> String {
    let mut zone = EXAMPLE.to_owned();
    for number in 0..HUGE_COUNT {
        // Writing to a text does not fail.
        let _ = writeln!(zone, "huge TXT \"{number:0250}\"");
    }
    zone
}

/// A small query under this ID.
pub(crate) fn small(id: u16) -> Vec<u8> {
    numbered(query("www.example", rtype::A), id)
}

/// A small query whose reply has nearly 64 KiB.
pub(crate) fn huge(id: u16) -> Vec<u8> {
    numbered(query("huge.example", rtype::TXT), id)
}

/// The message under another ID.
pub(crate) fn numbered(mut message: Vec<u8>, id: u16) -> Vec<u8> {
    message[..2].copy_from_slice(&id.to_be_bytes());
    message
}

/// Asks for a small reply, which must come.
pub(crate) fn ask(client: &mut Client, id: u16) {
    client.send(&framed(&small(id)));
    let reply = client.receive().expect("a reply");
    assert_eq!(reply[..4], [&id.to_be_bytes()[..], &[0x84, 0]].concat());
}
