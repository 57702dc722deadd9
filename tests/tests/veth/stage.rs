//! A veth pair with a server on one end; its clients are on the other.

use nix::sys::signal::Signal;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use tests::client;
use tests::netns::{End, Veth, privileged};
use tests::server::{EXAMPLE, Launch, Server};
use tests::stats::Stats;

/// The port of DNS.
pub(crate) const PORT: u16 = 53;
/// The server's interface.
pub(crate) const INTERFACE: &str = "server0";

/// A server that serves the zone `example`, on two queues where it has AF_XDP.
pub(crate) struct Stage {
    /// The process. Declared first: it must be gone before its namespace is.
    pub(crate) server: Server,
    pub(crate) veth: Veth,
}

impl Stage {
    /// Starts the server on AF_XDP with these arguments besides; none where the test may not.
    pub(crate) fn new(arguments: &[&str]) -> Option<Self> {
        if !privileged() {
            return None;
        }
        Some(Self::on(
            Veth::new(2),
            &[&["--io", "xdp"], arguments].concat(),
        ))
    }

    /// Starts the server on a pair that is prepared already.
    pub(crate) fn on(veth: Veth, arguments: &[&str]) -> Self {
        let launch = launch(&veth.server, arguments).zone("example", EXAMPLE);
        Self {
            server: launch.start(),
            veth,
        }
    }

    /// The server's addresses: IPv4, IPv6.
    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        let end = &self.veth.server;
        [end.ipv4.into(), end.ipv6.into()].map(|ip: IpAddr| SocketAddr::new(ip, PORT))
    }

    /// Runs `work` where the clients are.
    pub(crate) fn client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.veth.client.namespace.run(work)
    }

    /// Asks over UDP; the reply has to come from the address that was asked.
    pub(crate) fn ask(&self, address: SocketAddr, query: &[u8]) -> Vec<u8> {
        let (reply, from) = self.client(|| client::ask(address, query));
        assert_eq!(from, address);
        reply
    }

    /// Asks over TCP.
    pub(crate) fn ask_tcp(&self, address: SocketAddr, query: &[u8]) -> Vec<u8> {
        self.client(|| client::ask_tcp(address, query))
    }

    /// Runs a program where the clients are; returns what it printed.
    pub(crate) fn client_program(&self, program: &str, arguments: &[&str]) -> String {
        output(self.veth.client.namespace.command(program).args(arguments))
    }

    /// Waits until `answers` were given over AF_XDP and `by_kernel` by the sibling, no fewer and no
    /// more.
    pub(crate) fn await_answers(&self, answers: u64, by_kernel: u64) -> Stats {
        self.server.await_stats(|stats| {
            let counted = (xdp(stats, "answers"), stats.siblings("answers"));
            assert!(
                counted.0 <= answers && counted.1 <= by_kernel,
                "{counted:?}: {stats}"
            );
            counted == (answers, by_kernel)
        })
    }

    /// Whether a program is attached to the server's interface, as `ip` sees it.
    pub(crate) fn attached(&self) -> bool {
        attached(&self.veth.server)
    }

    /// Ends the server as a crash would; the pair stays.
    pub(crate) fn kill(self) -> Veth {
        self.server.signal(Signal::SIGKILL);
        self.server.wait();
        self.veth
    }
}

/// `ripples run` on an end's interface.
pub(crate) fn launch(end: &End, arguments: &[&str]) -> Launch {
    Launch::run(&["--interface", INTERFACE])
        .with(arguments)
        .within(&end.namespace)
}

/// A counter of both AF_XDP workers.
pub(crate) fn xdp(stats: &Stats, counter: &str) -> u64 {
    let queues = ["server0/0", "server0/1"];
    queues
        .iter()
        .map(|queue| stats.worker(queue, counter))
        .sum()
}

/// Whether a program is attached to an end's interface, as `ip` sees it.
pub(crate) fn attached(end: &End) -> bool {
    let link = [
        "-n",
        end.namespace.name(),
        "-details",
        "link",
        "show",
        INTERFACE,
    ];
    output(Command::new("ip").args(link)).contains("prog/xdp")
}

/// Runs `ip` in an end's namespace.
pub(crate) fn ip(end: &End, arguments: &str) {
    tests::netns::ip(&format!("-n {} {arguments}", end.namespace.name()));
}

/// What a command prints; panics where it fails.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
