//! A started server, and what it has used: read from `/proc`, from outside.

use crate::servers::{Server, Site};
use crate::stage::Stage;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tests::folder::Folder;
use tests::interrupt::is_interrupted;
use tests::napi;
use tests::wire::usage::{datagrams, packets, processor_ns, proportional_kib, threads};

/// A server has settled when it uses less than this of a CPU's time in `SETTLING`.
const SETTLED: Duration = Duration::from_millis(8);
const SETTLING: Duration = Duration::from_millis(200);

/// A server that runs on a stage; its processes are ended by the stage.
pub(crate) struct Running<'s> {
    pub(crate) server: &'static Server,
    pub(crate) stage: &'s Stage,
    pub(crate) started: Instant,
    child: Child,
    folder: Folder,
}

/// What was counted up to a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) at: Instant,
    /// CPU time of the server's processes, the kernel's work in their calls included.
    pub(crate) process_ns: u64,
    /// CPU time of the kernel threads that poll the server's interface.
    pub(crate) napi_ns: u64,
    /// Packets that came to the server's interface, and that came from it to the other end.
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Datagrams that were given to sockets.
    pub(crate) datagrams: u64,
}

impl<'s> Running<'s> {
    /// Starts a server.
    pub(crate) fn start(server: &'static Server, stage: &'s Stage, site: &Site<'_>) -> Self {
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
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// The end of what it has said.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Puts all its threads on their CPU: Knot spreads them over all that there are.
    pub(crate) fn pin(&self) {
        self.stage.pin();
        for process in Stage::processes(&self.stage.veth.server) {
            for thread in threads(process) {
                napi::pin(thread, self.stage.cpus.server);
            }
        }
    }

    /// Waits until it does nothing, at most `patience`: some load on after their first answers.
    pub(crate) fn settle(&self, patience: Duration) {
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
    pub(crate) fn counts(&self) -> Counts {
        let server = &self.stage.veth.server;
        let used = |threads: Vec<i32>| threads.into_iter().map(processor_ns).sum();
        let processes = Stage::processes(server);
        let threads = processes.iter().flat_map(|&process| threads(process));
        let id = self.child.id();
        // The tables are those of the process's network namespace.
        let table = |name: &str| fs::read_to_string(format!("/proc/{id}/net/{name}"));
        let interfaces = table("dev").unwrap_or_default();
        let protocols = table("snmp").unwrap_or_default();
        let [received, sent] = packets(&interfaces, server.interface).unwrap_or_default();
        Counts {
            process_ns: used(threads.collect()),
            napi_ns: used(self.stage.napi_threads(server)),
            received,
            sent,
            datagrams: datagrams(&protocols).unwrap_or_default(),
            at: Instant::now(),
        }
    }

    /// Memory of all its processes in MB; what several share counts once.
    pub(crate) fn memory_mb(&self) -> f64 {
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
