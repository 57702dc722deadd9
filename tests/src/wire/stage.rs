//! Where it is measured: a veth pair between namespaces, made anew for each server.

use crate::napi::{self, Napi};
use crate::netns::{End, Veth};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

/// Longer than a server takes to leave.
const PATIENCE: Duration = Duration::from_secs(15);
/// NAPI threads go before what they have packets for, as softirqs do.
const NAPI_PRIORITY: u32 = 50;

/// The CPUs of the two ends.
#[derive(Clone, Copy, Debug)]
pub struct Cpus {
    /// The server's, and its NAPI thread's.
    pub server: usize,
    /// The generator's, and its NAPI thread's.
    pub client: usize,
}

/// The pair, and who drives it.
pub struct Stage {
    /// The pair.
    pub veth: Veth,
    /// Who runs where.
    pub cpus: Cpus,
    /// Threads of interfaces that have the same names in other namespaces.
    others: HashSet<i32>,
}

impl Stage {
    /// Makes the pair, driven by `napi`.
    pub fn new(cpus: Cpus, napi: Napi) -> Self {
        let names = ["server0", "client0"];
        let others = names.into_iter().flat_map(napi::threads).collect();
        let veth = Veth::new(1);
        for end in [&veth.server, &veth.client] {
            // As a wire has them: checksums complete, no packet above the MTU.
            end.features(&["tx", "off", "rx", "off", "tso", "off", "gso", "off"]);
        }
        let stage = Self { veth, cpus, others };
        if napi == Napi::Threaded {
            for end in [&stage.veth.server, &stage.veth.client] {
                // Without an XDP program, an end of a veth pair has NAPI only for GRO's sake.
                end.features(&["gro", "on"]);
                napi::thread(end);
            }
        }
        stage.pin();
        stage
    }

    /// Puts every NAPI thread on its end's CPU. To be done again after a program was attached,
    /// which may make new ones.
    pub fn pin(&self) {
        let ends = [
            (&self.veth.server, self.cpus.server),
            (&self.veth.client, self.cpus.client),
        ];
        for (end, cpu) in ends {
            for thread in self.napi_threads(end) {
                napi::pin(thread, cpu);
                napi::put_first(thread, NAPI_PRIORITY);
            }
        }
    }

    /// The kernel threads of an end of this pair.
    pub fn napi_threads(&self, end: &End) -> Vec<i32> {
        let threads = napi::threads(end.interface);
        threads.difference(&self.others).copied().collect()
    }

    /// The processes at an end.
    pub fn processes(end: &End) -> Vec<i32> {
        let mut ip = Command::new("ip");
        ip.args(["netns", "pids", end.namespace.name()]);
        let output = ip.output().expect("ip");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Whether an XDP program hangs on the server's interface.
    pub fn has_program(&self) -> bool {
        let end = &self.veth.server;
        let mut ip = Command::new("ip");
        ip.args(["-n", end.namespace.name(), "link", "show", "dev"]);
        let output = ip.arg(end.interface).output().expect("ip");
        String::from_utf8_lossy(&output.stdout).contains("prog/xdp")
    }

    /// Ends all processes at an end: they are asked first.
    pub fn clear(end: &End) {
        for (signal, patience) in [(Signal::SIGTERM, PATIENCE), (Signal::SIGKILL, PATIENCE / 5)] {
            let deadline = Instant::now() + patience;
            for process in Self::processes(end) {
                // It may be gone already.
                let _ = kill(Pid::from_raw(process), signal);
            }
            while !Self::processes(end).is_empty() && Instant::now() < deadline {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A namespace lives on while a process is in it.
        Self::clear(&self.veth.client);
        Self::clear(&self.veth.server);
    }
}
