//! The thread that reads what workers have written.

use super::counts::QueryLogCounts;
use super::entry::entries;
use super::output::{Outlet, Output};
use super::{Buffer, Reader, Taps};
use crate::sys::cpu;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it looks whether a worker has filled much of its buffer.
const LOOK: Duration = Duration::from_millis(10);
/// After which time it takes even the little that a worker has written.
const FLIP: Duration = Duration::from_millis(100);
/// How long the workers may take to begin.
const PATIENCE: Duration = Duration::from_secs(2);

/// A worker whose queries are read.
pub struct Source {
    name: String,
    reader: Reader,
    wake: Box<dyn Fn() + Send>,
    /// A buffer to be filled next.
    spare: Option<Buffer>,
    /// Whom it was told of.
    taps: Arc<Taps>,
    flipped: Instant,
}

impl Source {
    /// The worker with this name; `wake` ends its sleep, so that it sees what it is told.
    pub fn new(name: String, reader: Reader, wake: impl Fn() + Send + 'static) -> Self {
        Self {
            name,
            reader,
            wake: Box::new(wake),
            spare: None,
            taps: Arc::default(),
            flipped: Instant::now(),
        }
    }

    /// Gives the worker another buffer when it is time to.
    fn flip(&mut self, taps: &Arc<Taps>, buffer_len: usize) {
        let is_news = !Arc::ptr_eq(&self.taps, taps);
        let filled = self.reader.filled();
        let is_due = filled >= buffer_len / 4 || filled != 0 && self.flipped.elapsed() >= FLIP;
        if self.reader.is_waiting() || !(is_news || is_due) {
            return;
        }
        let buffer = (!taps.is_empty())
            .then(|| self.spare.take().unwrap_or_else(|| Buffer::new(buffer_len)));
        match self.reader.order(Arc::clone(taps), buffer) {
            Ok(()) => {
                self.taps = Arc::clone(taps);
                self.flipped = Instant::now();
                (self.wake)();
            }
            Err(buffer) => self.spare = buffer,
        }
    }

    /// Whether the worker knows who looks on.
    fn is_told(&self, taps: &Arc<Taps>) -> bool {
        let knows = Arc::ptr_eq(&self.taps, taps) && !self.reader.is_waiting();
        knows || self.reader.is_abandoned()
    }

    /// Hands on what the worker has written.
    fn read(&mut self, outlets: &mut [Outlet]) {
        while let Some(delivered) = self.reader.take() {
            let Some(mut buffer) = delivered else {
                continue;
            };
            entries(&buffer, &self.name, |entry| {
                for outlet in &mut *outlets {
                    outlet.take(entry);
                }
            });
            buffer.clear();
            // A second one is needed while the first is read, and no third.
            self.spare = Some(buffer);
        }
    }
}

/// What the thread is told.
enum Command {
    Rotate,
    Stop,
}

/// The running query log.
pub struct QueryLog {
    commands: Sender<Command>,
    thread: JoinHandle<()>,
    counts: Arc<QueryLogCounts>,
}

impl QueryLog {
    /// Writes what the workers in `sources` answer to `outputs`; each worker has two buffers of
    /// `buffer_len` bytes. When it returns, they all record. Its threads keep off the CPUs in
    /// `taken`, unless there are no others.
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
        let taps = Arc::new(Taps::new(outlets.iter().map(Outlet::tap)));
        let (commands, inbox) = channel();
        let (begun, all_begun) = channel();
        let readers = Readers {
            sources,
            outlets,
            taps,
            buffer_len,
            begun: Some(begun),
        };
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
            commands,
            thread,
            counts,
        })
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

struct Readers {
    sources: Vec<Source>,
    outlets: Vec<Outlet>,
    taps: Arc<Taps>,
    buffer_len: usize,
    /// Told when all workers record.
    begun: Option<Sender<()>>,
}

impl Readers {
    fn run(mut self, inbox: &Receiver<Command>) {
        let mut flushed = Instant::now();
        loop {
            self.read();
            if flushed.elapsed() >= FLIP {
                self.outlets.iter_mut().for_each(Outlet::flush);
                flushed = Instant::now();
            }
            match inbox.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Command::Rotate) => self.outlets.iter_mut().for_each(Outlet::rotate),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.read();
        self.outlets.into_iter().for_each(Outlet::stop);
    }

    fn read(&mut self) {
        for source in &mut self.sources {
            // Before it is read: what is there when it ends, is read.
            let is_gone = source.reader.is_abandoned();
            source.read(&mut self.outlets);
            if !is_gone {
                source.flip(&self.taps, self.buffer_len);
            }
        }
        if self.sources.iter().all(|source| source.is_told(&self.taps))
            && let Some(begun) = self.begun.take()
        {
            // Whoever waited may have lost patience.
            let _ = begun.send(());
        }
    }
}
