//! One thread that owns its ports: turn after turn, and sleep when there is nothing to do.

use crate::config::Idle;
use crate::port::Port;
use crate::snapshot::Inbox;
use crate::sys::waker::Waker;
use crate::sys::{clock, wait};
use crate::telemetry::{Counters, Event, Tally};
use crate::vectorloop::Turn;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Empty turns before an adaptive worker sleeps: some microseconds, as long as falling asleep and
/// waking up would take.
const PATIENCE: u32 = 64;
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
    /// A handle for a worker that is not running yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            counters: Arc::default(),
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

/// A worker and what it alone touches.
pub struct Worker<P: Port> {
    ports: Vec<P>,
    turn: Turn<P::Frame>,
    inbox: Inbox,
    idle: Idle,
    handle: WorkerHandle,
    tally: Tally,
}

impl<P: Port> Worker<P> {
    /// A worker for `ports`, taking at most `vector_len` frames of one port in a turn.
    pub fn new(
        ports: Vec<P>,
        inbox: Inbox,
        idle: Idle,
        vector_len: usize,
        handle: WorkerHandle,
    ) -> Self {
        Self {
            ports,
            turn: Turn::new(vector_len),
            inbox,
            idle,
            handle,
            tally: Tally::default(),
        }
    }

    /// Runs until told to stop, then answers what is still on its way.
    pub fn run(mut self) -> io::Result<()> {
        let mut empty_turns = 0;
        while !self.handle.stop.load(Ordering::Relaxed) {
            if self.turn() > 0 {
                empty_turns = 0;
            } else if self.idle == Idle::Adaptive {
                empty_turns += 1;
                if empty_turns > PATIENCE {
                    self.sleep()?;
                    empty_turns = 0;
                }
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
        let mut received = 0;
        for port in &mut self.ports {
            let snapshot = self.inbox.current();
            received += self.turn.run(port, snapshot, time_s, &mut self.tally);
            port.report(&mut self.tally);
        }
        self.handle.counters.publish(&mut self.tally);
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
        wait::any_readable(ports.chain([self.handle.waker.as_fd()]), timeout)?;
        self.handle.waker.clear()?;
        Ok(())
    }
}
