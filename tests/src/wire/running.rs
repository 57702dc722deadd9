//! A started server, and what it has used: read from `/proc`, from outside.

use super::servers::{Server, Site};
use super::stage::Stage;
use super::usage::{Used, datagrams, packets, processor_ns, proportional_kib, threads};
use crate::folder::Folder;
use crate::interrupt::is_interrupted;
use crate::napi;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A server has settled when it uses less than this of a CPU's time in `SETTLING`.
const SETTLED: Duration = Duration::from_millis(8);
const SETTLING: Duration = Duration::from_millis(200);

/// A server that runs on a stage; its processes are ended by the stage.
pub struct Running<'s> {
    /// Which.
    pub server: &'static Server,
    /// Where.
    pub stage: &'s Stage,
    /// When it was started.
    pub started: Instant,
    child: Child,
    folder: Folder,
}

/// What was counted up to a moment.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// When.
    pub at: Instant,
    /// CPU time of the server's processes, the kernel's work in their calls included.
    pub process_ns: u64,
    /// CPU time of the kernel threads that poll the server's interface.
    pub napi_ns: u64,
    /// Packets that came to the server's interface, and that came from it to the other end.
    pub received: u64,
    /// See `received`.
    pub sent: u64,
    /// Datagrams that were given to sockets.
    pub datagrams: u64,
}

impl<'s> Running<'s> {
    /// Starts a server.
    pub fn start(server: &'static Server, stage: &'s Stage, site: &Site<'_>) -> Self {
        let folder = Folder::new();
        let site = Site {
            folder: folder.path(),
            ..*site
        };
        let line = (server.configure)(&site);
        let mut command = stage.veth.server.namespace.command("taskset");
        command.args(["-c", &stage.cpus.server.to_string()]);
        command.args(&line).current_dir(folder.path());
        let log = File::create(folder.path().join("log")).expect("a folder of one's own");
        let errors = log.try_clone().expect("a file");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        // A Ctrl-C is for the benchmark, which ends its servers itself.
        command.process_group(0);
        let started = Instant::now();
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            server,
            stage,
            started,
            child,
            folder,
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// The end of what it has said.
    pub fn log(&self) -> String {
        let text = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Puts all its threads on their CPU: Knot spreads them over all that there are.
    pub fn pin(&self) {
        self.stage.pin();
        for process in Stage::processes(&self.stage.veth.server) {
            for thread in threads(process) {
                napi::pin(thread, self.stage.cpus.server);
            }
        }
    }

    /// Waits until it does nothing, at most `patience`: some load on after their first answers.
    pub fn settle(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && !is_interrupted() {
            let before = self.counts().process_ns;
            std::thread::park_timeout(SETTLING);
            let used = Duration::from_nanos(self.counts().process_ns - before);
            if used < SETTLED {
                return;
            }
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let server = &self.stage.veth.server;
        let used = |threads: Vec<i32>| threads.into_iter().map(processor_ns).sum();
        let processes = Stage::processes(server);
        let id = self.child.id();
        // The tables are those of the process's network namespace.
        let table = |name: &str| fs::read_to_string(format!("/proc/{id}/net/{name}"));
        let interfaces = table("dev").unwrap_or_default();
        let protocols = table("snmp").unwrap_or_default();
        let [received, sent] = packets(&interfaces, server.interface).unwrap_or_default();
        Counts {
            process_ns: Used::of(&processes).ran_ns,
            napi_ns: used(self.stage.napi_threads(server)),
            received,
            sent,
            datagrams: datagrams(&protocols).unwrap_or_default(),
            at: Instant::now(),
        }
    }

    /// Memory of all its processes in MB; what several share counts once.
    pub fn memory_mb(&self) -> f64 {
        let processes = Stage::processes(&self.stage.veth.server).into_iter();
        let of = |process: i32| {
            let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"));
            proportional_kib(&text.ok()?)
        };
        processes.filter_map(of).sum::<u64>() as f64 * 1024.0 / 1e6
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        Stage::clear(&self.stage.veth.server);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
