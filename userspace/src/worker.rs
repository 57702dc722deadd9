//! One thread that owns its ports: turn after turn, and sleep when there is nothing to do.

use crate::idle::{Idle, Step};
use crate::port::Port;
use crate::reflect::Reflection;
use crate::sampler::Sampler;
use crate::snapshot::Inbox;
use crate::sys::waker::Waker;
use crate::sys::{clock, priority, wait};
use crate::telemetry::{Counters, Event, Tally};
use crate::vectorloop::Turn;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest sleep: whatever a wake-up may have missed, is seen by then.
const SLEEP: Duration = Duration::from_millis(500);
/// Sleep while the port cannot send, as with a link that is down: it is tried again after it.
const RETRY: Duration = Duration::from_millis(1);
/// Turns that a stopping worker still takes for what is on its way.
const DRAIN_TURNS: u32 = 64;

/// What the rest of the server keeps of a worker.
#[derive(Clone, Debug)]
pub struct WorkerHandle {
    /// What it counts.
    pub counters: Arc<Counters>,
    waker: Waker,
    stop: Arc<AtomicBool>,
}

impl WorkerHandle {
    /// A handle for a worker that is not running yet, and adds to `counters`, which no other does.
    pub fn new(counters: Arc<Counters>) -> io::Result<Self> {
        Ok(Self {
            counters,
            waker: Waker::new()?,
            stop: Arc::default(),
        })
    }

    /// Ends the worker's sleep: there is a message for it.
    pub fn wake(&self) -> io::Result<()> {
        self.waker.wake()
    }

    /// Asks the worker to drain and leave.
    pub fn stop(&self) -> io::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.waker.wake()
    }
}

/// What a worker does with the frames of its ports.
pub enum Work<F> {
    /// Answers them.
    Answer(Box<Turn<F>>),
    /// Sends them back, to be measured.
    Reflect(Box<Reflection<F>>),
}

impl<F> Work<F> {
    /// Answering, at most `vector_len` frames of one port in a turn.
    pub fn answer(vector_len: usize) -> Self {
        Self::Answer(Box::new(Turn::new(vector_len)))
    }

    /// Sending back, as many.
    pub fn reflect(vector_len: usize) -> Self {
        Self::Reflect(Box::new(Reflection::new(vector_len)))
    }
}

/// Takes a turn, and says when, if anybody looks on.
pub(crate) fn recorded<F>(turn: &mut Turn<F>, run: impl FnOnce(&mut Turn<F>) -> usize) -> usize {
    if let Some(recorder) = turn.recorder() {
        recorder.begin(clock::ticks);
    }
    let count = run(turn);
    if let Some(recorder) = turn.recorder() {
        recorder.end(clock::ticks);
    }
    count
}

/// A worker and what it alone touches.
pub struct Worker<P: Port> {
    ports: Vec<P>,
    work: Work<P::Frame>,
    inbox: Inbox,
    idle: Idle,
    handle: WorkerHandle,
    tally: Tally,
    sampler: Sampler,
}

impl<P: Port> Worker<P> {
    /// A worker for `ports`.
    pub fn new(
        ports: Vec<P>,
        inbox: Inbox,
        work: Work<P::Frame>,
        idle: Idle,
        handle: WorkerHandle,
    ) -> Self {
        Self {
            ports,
            work,
            inbox,
            idle,
            handle,
            tally: Tally::default(),
            sampler: Sampler::default(),
        }
    }

    /// Runs until told to stop, then answers what is still on its way.
    pub fn run(mut self) -> io::Result<()> {
        // Else a pause of a microsecond takes fifty.
        wait::keep_time_exactly()?;
        // Whoever shares its CPU, a sibling with a crowd of connections say, makes way for packets.
        if let Err(error) = priority::wake_promptly() {
            tracing::debug!(%error, "a worker waits for whole slices of others");
        }
        while !self.handle.stop.load(Ordering::Relaxed) {
            let received = self.turn();
            match self.idle.after(received) {
                Step::Look => {}
                Step::Pause(duration) => {
                    self.tally.add(Event::Sleeps, 1);
                    wait::pause(duration);
                }
                Step::Sleep => self.sleep()?,
            }
        }
        for _ in 0..DRAIN_TURNS {
            let received = self.turn();
            if received == 0 && !self.ports.iter().any(Port::backlog) {
                break;
            }
        }
        Ok(())
    }

    /// One turn of each port. Returns how many frames there were.
    fn turn(&mut self) -> usize {
        self.inbox.take();
        let time_s = clock::unix_time_s();
        let (counters, tally) = (&*self.handle.counters, &mut self.tally);
        let mut received = 0;
        for port in &mut self.ports {
            let snapshot = self.inbox.current();
            received += self.sampler.observe(counters, || match &mut self.work {
                Work::Answer(turn) => {
                    recorded(turn, |turn| turn.run(port, snapshot, time_s, tally))
                }
                Work::Reflect(reflection) => reflection.run(port, tally),
            });
            port.report(tally);
        }
        counters.publish(tally);
        received
    }

    /// Sleeps until a port has something, or somebody wakes the worker.
    fn sleep(&mut self) -> io::Result<()> {
        self.tally.add(Event::Sleeps, 1);
        let ports = self.ports.iter().filter_map(Port::fd);
        let timeout = if self.ports.iter().any(Port::backlog) {
            RETRY
        } else {
            SLEEP
        };
        // Most sleeps end with a packet, and a read for nothing would only keep it waiting.
        if wait::any_readable(
            [self.handle.waker.as_fd()].into_iter().chain(ports),
            timeout,
        )? {
            self.handle.waker.clear()?;
        }
        Ok(())
    }
}
