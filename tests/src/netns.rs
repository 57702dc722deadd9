//! Network namespaces of a test's own: two of them, a veth pair between, gone with the guard.

use crate::rights::is_root;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};

/// A network namespace, removed on drop.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

/// One end of the veth pair: a namespace and what lies in it.
#[derive(Debug)]
pub struct End {
    /// The namespace.
    pub namespace: Namespace,
    /// The interface's name.
    pub interface: &'static str,
    /// The interface's hardware address.
    pub mac: &'static str,
    /// The interface's addresses; the prefixes are /24 and /64.
    pub ipv4: Ipv4Addr,
    /// See `ipv4`.
    pub ipv6: Ipv6Addr,
}

/// Two namespaces with a veth pair between them. Both ends know each other's hardware address.
#[derive(Debug)]
pub struct Veth {
    /// Where the server is to run.
    pub server: End,
    /// Where its clients are to run.
    pub client: End,
}

/// Whether the test may make namespaces and attach programs. Prints why not; panics where it was
/// promised (CI=true).
pub fn privileged() -> bool {
    is_root("for network namespaces and XDP")
}

impl Veth {
    /// Makes the pair, each end with `queues` queues in each direction.
    pub fn new(queues: u32) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!(
            "ripples-ports-{}-{}",
            id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let veth = Self {
            server: End {
                namespace: Namespace::new(format!("{prefix}-server")),
                interface: "server0",
                mac: "02:53:00:00:00:01",
                ipv4: Ipv4Addr::new(10, 53, 0, 1),
                ipv6: Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 1),
            },
            client: End {
                namespace: Namespace::new(format!("{prefix}-client")),
                interface: "client0",
                mac: "02:53:00:00:00:02",
                ipv4: Ipv4Addr::new(10, 53, 0, 2),
                ipv6: Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 2),
            },
        };
        let half = |end: &End| {
            format!(
                "{} numrxqueues {queues} numtxqueues {queues} netns {} address {}",
                end.interface, end.namespace.name, end.mac
            )
        };
        let (server, client) = (half(&veth.server), half(&veth.client));
        ip(&format!("link add {server} type veth peer name {client}"));
        veth.server.bring_up(&veth.client);
        veth.client.bring_up(&veth.server);
        veth
    }
}

impl End {
    /// Gives the interface its addresses, brings it up, and tells it who is on the other side.
    pub fn bring_up(&self, peer: &End) {
        let (name, interface) = (&self.namespace.name, self.interface);
        ip(&format!(
            "-n {name} addr add {}/24 dev {interface}",
            self.ipv4
        ));
        ip(&format!(
            "-n {name} addr add {}/64 dev {interface} nodad",
            self.ipv6
        ));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link set {interface} up"));
        for address in [peer.ipv4.to_string(), peer.ipv6.to_string()] {
            ip(&format!(
                "-n {name} neigh replace {address} lladdr {} dev {interface} nud permanent",
                peer.mac
            ));
        }
    }
}

impl End {
    /// Switches features of the interface, as in `["tx", "off"]`.
    ///
    /// # Panics
    /// With what ethtool says where it refuses.
    pub fn features(&self, words: &[&str]) {
        let mut command = self.namespace.command("ethtool");
        command.args(["-K", self.interface]).args(words);
        let output = command.output().expect("ip");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {complaint}");
    }
}

impl Namespace {
    /// One with nothing in it but its loopback.
    pub fn alone() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self::new(format!("ripples-alone-{}-{number}", id()));
        ip(&format!("-n {} link set lo up", namespace.name));
        namespace
    }

    fn new(name: String) -> Self {
        ip(&format!("netns add {name}"));
        Self { name }
    }

    /// Its name, as `ip netns` has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `work` on a thread inside; threads that it starts are inside as well.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.enter();
                work()
            });
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Moves the calling thread into the namespace, for good.
    pub fn enter(&self) {
        let path = format!("/run/netns/{}", self.name);
        let file = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        setns(file, CloneFlags::CLONE_NEWNET).expect("root may enter a namespace");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // With the namespace go its interfaces, and with them their peers. A failure must not hide
        // the test's own: it shows in `ip netns`.
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

/// Runs `ip` with the words of `arguments`; panics with its words if it fails.
pub fn ip(arguments: &str) {
    let output = Command::new("ip")
        .args(arguments.split_whitespace())
        .output();
    let output = output.unwrap_or_else(|error| panic!("ip: {error}; is iproute2 installed?"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {complaint}");
}
