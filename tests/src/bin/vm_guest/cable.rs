//! The guest's two interfaces: the server is on one, its clients on the other, in a network
//! namespace of their own, so that packets cross the cable.

use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tests::netns::{Namespace, ip};
use tests::server::{EXAMPLE, Launch, PATIENCE};

/// The server's interface.
pub(crate) const SERVER: &str = "eth0";
/// The clients' interface.
pub(crate) const CLIENT: &str = "eth1";
/// The server's address.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 53, 0, 1);
/// The clients' address.
pub(crate) const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 53, 0, 2);

/// Both ends.
pub(crate) struct Cable {
    /// Where the clients are.
    pub(crate) clients: Namespace,
    client_mac: String,
    server_mac: String,
}

impl Cable {
    /// Gives both interfaces their addresses and brings them up.
    pub(crate) fn new() -> Self {
        let mac = |name: &str| {
            let path = format!("/sys/class/net/{name}/address");
            let mac = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            mac.trim().to_owned()
        };
        let cable = Self {
            client_mac: mac(CLIENT),
            server_mac: mac(SERVER),
            clients: Namespace::alone(),
        };
        let name = cable.clients.name();
        ip(&format!("link set {CLIENT} netns {name}"));
        ip(&format!(
            "-n {name} addr add {CLIENT_ADDRESS}/24 dev {CLIENT}"
        ));
        ip(&format!("-n {name} link set {CLIENT} up"));
        cable.plug_in();
        // Else its side loses replies that come faster than it is scheduled. Virtio refuses.
        let mut rings = cable.clients.command("ethtool");
        drop(rings.args(["-G", CLIENT, "rx", "4096"]).output());
        cable
    }

    /// Gives the server's interface, which may be a new one, its address, and brings it up.
    pub(crate) fn plug_in(&self) {
        ip(&format!("addr replace {ADDRESS}/24 dev {SERVER}"));
        ip(&format!("link set {SERVER} up"));
    }

    /// The server's port for DNS.
    pub(crate) fn server(&self) -> SocketAddr {
        (ADDRESS, 53).into()
    }

    /// The server's hardware address.
    pub(crate) fn server_mac(&self) -> &str {
        &self.server_mac
    }

    /// Packets that one of the clients' interfaces has received.
    pub(crate) fn received(&self, interface: &str) -> u64 {
        let mut show = self.clients.command("ip");
        let said = run(show.args(["-s", "-j", "link", "show", interface]));
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}"));
        let received = said[0]["stats64"]["rx"]["packets"].as_u64();
        received.unwrap_or_else(|| panic!("no counter: {said}"))
    }

    /// Waits until both ends have a link and know each other.
    pub(crate) fn await_link(&self) {
        let start = Instant::now();
        let has_link =
            |output: Output| String::from_utf8_lossy(&output.stdout).contains("LOWER_UP");
        let show = |command: &mut Command, name| {
            let output = command.args(["link", "show", "dev", name]).output();
            has_link(output.expect("ip"))
        };
        while !show(&mut Command::new("ip"), SERVER)
            || !show(&mut self.clients.command("ip"), CLIENT)
        {
            assert!(start.elapsed() < PATIENCE, "no link");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let name = self.clients.name();
        ip(&format!(
            "-n {name} neigh replace {ADDRESS} lladdr {} dev {CLIENT} nud permanent",
            self.server_mac
        ));
        ip(&format!(
            "neigh replace {CLIENT_ADDRESS} lladdr {} dev {SERVER} nud permanent",
            self.client_mac
        ));
    }

    /// Sets how many queues the server's interface has, and that ports choose among them.
    pub(crate) fn set_queues(&self, queues: u32) {
        let channels = ethtool(&["-l", SERVER]);
        let now = channels.rsplit("Combined:").next().unwrap_or_default();
        if now.trim().lines().next() != Some(&queues.to_string()) {
            ethtool(&["-L", SERVER, "combined", &queues.to_string()]);
        }
        // Else all that one host sends another goes to one queue.
        ethtool(&["-N", SERVER, "rx-flow-hash", "udp4", "sdfn"]);
        self.await_link();
    }

    /// A server that serves the zone `example` on its interface.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Launch {
        Launch::run(&[
            "--interface",
            SERVER,
            "--listen",
            &self.server().to_string(),
        ])
        .with(arguments)
        .zone("example", EXAMPLE)
    }
}

/// What `ethtool` prints; panics where it refuses.
pub(crate) fn ethtool(arguments: &[&str]) -> String {
    run(Command::new("ethtool").args(arguments))
}

/// What a command prints; panics where it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
