//! The thread that checks addresses: one for all of them, which never waits for a single one.

mod attempt;
mod exchange;
mod schedule;

use super::SharedBoard;
use crate::sys::connect::{Wait, any_ready};
use crate::sys::{priority, wait};
use attempt::Attempt;
use schedule::{Key, Schedule};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// So many checks are under way at most; what is due beyond them waits for its turn.
const ATTEMPTS_MAX: usize = 256;
/// So many of them are processes at most.
const COMMANDS_MAX: usize = 32;
/// Longest sleep of the thread.
const TICK: Duration = Duration::from_secs(60);
/// How often processes are looked after.
const COMMAND_TICK: Duration = Duration::from_millis(10);

/// The checks as they run; they end with it.
pub struct Checker {
    board: SharedBoard,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    /// Begins to check what the board says, and calls `changed` when something else is down.
    pub fn start(board: SharedBoard, changed: impl Fn() + Send + 'static) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut work = Work {
            board: board.clone(),
            is_over: Arc::clone(&is_over),
            schedule: Schedule::default(),
            attempts: Vec::new(),
            changed: Box::new(changed),
        };
        let thread = Builder::new()
            .name("health".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            board,
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.board.wake_checker();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("health: the checks had ended before");
        }
    }
}

/// What the thread owns.
struct Work {
    board: SharedBoard,
    is_over: Arc<AtomicBool>,
    schedule: Schedule,
    attempts: Vec<(Key, Attempt)>,
    changed: Box<dyn Fn() + Send>,
}

impl Work {
    fn run(&mut self) {
        // Workers go first, as before the resource thread.
        if let Err(error) = priority::step_back() {
            tracing::debug!(%error, "the checks keep their priority");
        }
        while !self.is_over.load(Ordering::Acquire) {
            let plan = self.board.lock().plan();
            // The board may have been waited for.
            let now = Instant::now();
            self.schedule.follow(&plan, now);
            self.begin(now);
            if let Err(error) = self.wait(now) {
                tracing::error!(%error, "health: the checks cannot wait");
                wait::pause(COMMAND_TICK);
            }
            self.end(Instant::now());
        }
    }

    /// Begins what is due, as far as there is room.
    fn begin(&mut self, now: Instant) {
        let commands = self.attempts.iter().filter(|(_, own)| own.is_command());
        let mut room = [
            ATTEMPTS_MAX - self.attempts.len(),
            COMMANDS_MAX - commands.count(),
        ];
        while room[0] > 0
            && let Some((key, job)) = self.schedule.next_due(now, room[1] > 0)
        {
            let attempt = Attempt::begin(&job.check, job.address, now);
            room[0] -= 1;
            room[1] -= usize::from(attempt.is_command());
            self.attempts.push((key, attempt));
        }
    }

    /// Sleeps until something happens, or is due.
    fn wait(&self, now: Instant) -> io::Result<()> {
        let commands = self.attempts.iter().any(|(_, own)| own.is_command());
        let deadlines = self.attempts.iter().map(|(_, own)| own.deadline());
        // Without room only an end helps, which is waited for anyway.
        let is_full = self.attempts.len() >= ATTEMPTS_MAX;
        let due = self.schedule.comes_due(now).filter(|_| !is_full);
        let next = deadlines.chain(due).min();
        let next = next.map_or(TICK, |next| next.saturating_duration_since(now));
        let tick = if commands { COMMAND_TICK } else { TICK };
        let waker = self.board.waker();
        let streams = self.attempts.iter().filter_map(|(_, own)| own.waits_for());
        let all = std::iter::once((waker.as_fd(), Wait::Readable)).chain(streams);
        // A poll that ends a moment early would go round in vain.
        any_ready(all, next.min(tick) + Duration::from_micros(100))?;
        waker.clear()?;
        Ok(())
    }

    /// Takes the results that are there.
    fn end(&mut self, now: Instant) {
        let mut is_changed = false;
        let mut board = None;
        self.attempts.retain_mut(|((check, address), attempt)| {
            let Some(result) = attempt.look(now) else {
                return true;
            };
            self.schedule.ended(&(check.clone(), *address));
            let board = board.get_or_insert_with(|| self.board.lock());
            is_changed |= board.record(check, *address, result, now);
            false
        });
        drop(board);
        if is_changed {
            (self.changed)();
        }
    }
}
