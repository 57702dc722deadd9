//! The thread that reads what workers have written.

use super::counts::QueryLogCounts;
use super::live::{Hub, Onlooker, Onlookers};
use super::output::{Outlet, Output};
use super::source::{FLIP, Source};
use super::{Tap, Taps};
use crate::sys::cpu;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it looks whether a worker has filled much of its buffer.
const LOOK: Duration = Duration::from_millis(10);
/// How long it sleeps while nobody looks on, unless it is told something.
const REST: Duration = Duration::from_secs(3600);
/// How long the workers may take to begin.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the thread is told.
pub(super) enum Command {
    /// To let somebody look on.
    Look(Box<Onlooker>),
    /// To read of these workers as well.
    Read(Vec<Source>),
    Rotate,
    Stop,
}

/// The running query log, and whoever looks on for a while.
pub struct QueryLog {
    commands: Sender<Command>,
    thread: JoinHandle<()>,
    counts: Arc<QueryLogCounts>,
    hub: Hub,
}

impl QueryLog {
    /// Writes what the workers in `sources` answer to `outputs`; each worker has two buffers of
    /// `buffer_len` bytes while anybody looks on. When it returns, they all record. Its threads
    /// keep off the CPUs in `taken`, unless there are no others.
    pub fn start(
        outputs: &[Output],
        sources: Vec<Source>,
        buffer_len: usize,
        taken: &[usize],
    ) -> io::Result<Self> {
        let counts = Arc::new(QueryLogCounts::default());
        let outlets = (0..)
            .zip(outputs)
            .map(|(number, output)| Outlet::new(output.clone(), number, Arc::clone(&counts), taken))
            .collect::<io::Result<Vec<Outlet>>>()?;
        let (commands, inbox) = channel();
        let (begun, all_begun) = channel();
        let mut readers = Readers::new(sources, outlets, buffer_len, Arc::clone(&counts));
        readers.begun = Some(begun);
        let builder = thread::Builder::new().name("querylog".to_owned());
        let taken = taken.to_vec();
        let thread = builder.spawn(move || {
            keep_off(&taken);
            readers.run(&inbox);
        })?;
        if all_begun.recv_timeout(PATIENCE).is_err() {
            tracing::warn!("the query log has not heard of all workers yet");
        }
        Ok(Self {
            hub: Hub::new(commands.clone()),
            commands,
            thread,
            counts,
        })
    }

    /// Where live streams are subscribed to.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Reads of these workers as well, which have begun later.
    pub fn read(&self, sources: Vec<Source>) {
        // A thread that is gone was complained about.
        let _ = self.commands.send(Command::Read(sources));
    }

    /// Begins other files.
    pub fn rotate(&self) {
        // A thread that is gone was complained about.
        let _ = self.commands.send(Command::Rotate);
    }

    /// What it has counted.
    pub fn counts(&self) -> &QueryLogCounts {
        &self.counts
    }

    /// Writes what the workers have left, which have ended, and ends.
    pub fn stop(self) {
        let _ = self.commands.send(Command::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the query log's thread panicked");
        }
    }
}

/// Keeps the calling thread off these CPUs.
pub(super) fn keep_off(taken: &[usize]) {
    if let Err(error) = cpu::avoid(taken) {
        tracing::debug!(%error, "the query log runs on any CPU");
    }
}

/// All that is read, and for whom.
struct Readers {
    sources: Vec<Source>,
    outlets: Vec<Outlet>,
    onlookers: Onlookers,
    taps: Arc<Taps>,
    buffer_len: usize,
    counts: Arc<QueryLogCounts>,
    /// Told when all workers record.
    begun: Option<Sender<()>>,
}

impl Readers {
    fn new(
        sources: Vec<Source>,
        outlets: Vec<Outlet>,
        buffer_len: usize,
        counts: Arc<QueryLogCounts>,
    ) -> Self {
        Self {
            taps: Arc::new(Taps::new(outlets.iter().map(Outlet::tap))),
            sources,
            outlets,
            onlookers: Onlookers::default(),
            buffer_len,
            counts,
            begun: None,
        }
    }

    fn run(mut self, inbox: &Receiver<Command>) {
        let mut flushed = Instant::now();
        loop {
            self.turn();
            if flushed.elapsed() >= FLIP {
                self.outlets.iter_mut().for_each(Outlet::flush);
                flushed = Instant::now();
            }
            match inbox.recv_timeout(if self.is_idle() { REST } else { LOOK }) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Command::Look(onlooker)) => self.onlookers.add(*onlooker),
                Ok(Command::Read(sources)) => self.sources.extend(sources),
                Ok(Command::Rotate) => self.outlets.iter_mut().for_each(Outlet::rotate),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.turn();
        self.outlets.into_iter().for_each(Outlet::stop);
    }

    /// Whether there is nothing to do before it is told something.
    fn is_idle(&self) -> bool {
        self.taps.is_empty() && self.onlookers.is_empty() && self.all_told()
    }

    /// Whether every worker records for those who look on, and for nobody else.
    fn all_told(&self) -> bool {
        self.sources.iter().all(|source| source.is_told(&self.taps))
    }

    fn turn(&mut self) {
        self.rearrange();
        let (outlets, onlookers) = (&mut self.outlets, &mut self.onlookers);
        self.sources.retain_mut(|source| {
            // Before it is read: what is there when it ends, is read.
            let is_gone = source.is_abandoned();
            source.read(&self.counts, |entry| {
                outlets.iter_mut().for_each(|outlet| outlet.take(entry));
                onlookers.take(entry);
            });
            if !is_gone {
                source.flip(&self.taps, self.buffer_len);
            }
            !is_gone
        });
        let buffers: usize = self.sources.iter().map(Source::buffers).sum();
        self.counts.set_buffer_bytes(buffers * self.buffer_len);
        if self.all_told() {
            self.onlookers.begin();
            if let Some(begun) = self.begun.take() {
                // Whoever waited may have lost patience.
                let _ = begun.send(());
            }
        }
        self.onlookers.look_after(Instant::now());
    }

    /// Changes the taps when somebody has come or gone.
    fn rearrange(&mut self) {
        let outlets = self.outlets.iter().map(Outlet::tap);
        let own: Vec<Tap> = outlets.collect();
        let own_bits = own.iter().fold(0, |bits, tap| bits | 1 << tap.number);
        // A record under way may have the tap of somebody who has gone: it is nobody else's yet.
        let under_way = self.sources.iter().map(Source::under_way);
        let taken = under_way.fold(own_bits, |taken, bits| taken | bits);
        if self.onlookers.rearrange(taken) {
            self.taps = Arc::new(Taps::new(own.into_iter().chain(self.onlookers.taps())));
        }
    }
}
