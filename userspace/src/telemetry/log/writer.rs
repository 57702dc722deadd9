//! The thread that writes: takes records from all rings in the order of their times.

use super::counters::LogEvent;
use super::record::{Record, SIZE_MAX, compose};
use super::ring::Source;
use super::shared::Shared;
use super::sink::{Change, Sink};
use super::timestamp::Timestamp;
use crate::sys::{cpu, signals, wait};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tracing::Level;

/// The name of the thread.
pub(super) const THREAD: &str = "log";
/// The target of what the log says itself.
const TARGET: &str = "ripples::telemetry::log";
/// How often at most it says that messages were dropped.
const DROPS_TOLD_EVERY: Duration = Duration::from_secs(1);

/// Starts the thread.
pub(super) fn spawn(
    shared: Arc<Shared>,
    arrivals: Receiver<Source>,
    sink: Sink,
) -> io::Result<JoinHandle<()>> {
    let writer = Writer {
        shared,
        arrivals,
        sources: Vec::new(),
        sink,
        record: Vec::with_capacity(SIZE_MAX),
        dropped_told: 0,
        drops_told_at: None,
    };
    thread::Builder::new().name(THREAD.to_owned()).spawn(|| {
        signals::leave_to_others();
        writer.run();
    })
}

struct Writer {
    shared: Arc<Shared>,
    arrivals: Receiver<Source>,
    sources: Vec<Source>,
    sink: Sink,
    record: Vec<u8>,
    /// Drops that were told of, and when that was.
    dropped_told: u64,
    drops_told_at: Option<Instant>,
}

impl Writer {
    fn run(mut self) {
        loop {
            // What was logged before this was asked for is in the rings by now.
            let (is_closing, asked) = (self.shared.is_closing(), self.shared.asked());
            if self.shared.take_reopen() {
                self.reopen();
            }
            if let Some(taken) = self.shared.take_taken() {
                // Where that fails it runs on any CPU, as before.
                let _ = cpu::avoid(&taken);
            }
            self.take_all();
            self.tell_of_drops(is_closing);
            self.tell_of_left_out(is_closing);
            self.shared.finish(asked);
            if is_closing {
                return;
            }
            self.sleep();
        }
    }

    /// Writes what is in the rings, the oldest first. A message may come behind a later one only
    /// where its thread was held up between looking at the clock and handing it over.
    fn take_all(&mut self) {
        loop {
            self.sources.extend(self.arrivals.try_iter());
            let mut oldest: Option<(Timestamp, usize)> = None;
            for (at, source) in self.sources.iter().enumerate() {
                if let Some(time) = source.next()
                    && oldest.is_none_or(|(before, _)| time < before)
                {
                    oldest = Some((time, at));
                }
            }
            let Some((_, at)) = oldest else {
                break;
            };
            let source = &mut self.sources[at];
            source.take(&mut self.record);
            let change = Record::decode(&self.record).map_or(Change::None, |record| {
                self.sink
                    .write(&record, &source.thread, &self.shared.counters)
            });
            self.tell_of_change(change);
        }
        self.sources.retain(|source| !source.is_over());
    }

    fn reopen(&mut self) {
        let change = self.sink.reopen(&self.shared.counters);
        self.tell_of_change(change);
    }

    fn tell_of_change(&mut self, change: Change) {
        match change {
            Change::None => {}
            Change::Failed(reason) => {
                self.say(format_args!(
                    "{reason}; messages go to standard error meanwhile"
                ));
            }
            Change::Recovered(0) => {}
            Change::Recovered(count) => {
                self.say(format_args!(
                    "{count} messages went to standard error instead"
                ));
            }
        }
    }

    /// Says once in a while how many messages found no room.
    fn tell_of_drops(&mut self, at_once: bool) {
        let dropped = self.shared.counters.get(LogEvent::Dropped);
        let is_due = self
            .drops_told_at
            .is_none_or(|told| told.elapsed() >= DROPS_TOLD_EVERY);
        let count = dropped - self.dropped_told;
        if count > 0 && (is_due || at_once) {
            self.say(format_args!(
                "{count} messages dropped: they came faster than they are written"
            ));
            self.dropped_told = dropped;
            self.drops_told_at = Some(Instant::now());
        }
    }

    /// Says how many messages were left out of windows that are over.
    fn tell_of_left_out(&mut self, all: bool) {
        let shared = Arc::clone(&self.shared);
        let now_s = Timestamp::now().seconds;
        shared.limiter.take_left_out(now_s, all, |place, count| {
            let (target, line) = (place.target(), place.line().unwrap_or(0));
            let file = place.file().unwrap_or(target);
            compose(
                &mut self.record,
                *place.level(),
                target,
                format_args!("{count} messages like those before left out ({file}:{line})"),
            );
            self.write_own();
        });
    }

    /// Says something of the log itself.
    fn say(&mut self, message: fmt::Arguments<'_>) {
        compose(&mut self.record, Level::WARN, TARGET, message);
        self.write_own();
    }

    fn write_own(&mut self) {
        if let Some(record) = Record::decode(&self.record) {
            self.shared.counters.message(record.level);
            // Whatever it changes was told of already, or is with the next message.
            self.sink.write(&record, THREAD, &self.shared.counters);
        }
    }

    /// Sleeps until there is something to do.
    fn sleep(&mut self) {
        self.shared.get_drowsy();
        self.sources.extend(self.arrivals.try_iter());
        let has_work = self.shared.has_orders() || self.sources.iter().any(|s| !s.is_empty());
        let nap = self.nap();
        if has_work || nap == Some(Duration::ZERO) || !self.shared.fall_asleep() {
            return self.shared.wake_up();
        }
        if wait::readable([self.shared.waker()], nap).is_err() {
            // It cannot wait for being woken.
            wait::pause(Duration::from_millis(10));
        }
        self.shared.wake_up();
    }

    /// How long it may sleep: until it has to tell of drops or of what was left out.
    fn nap(&self) -> Option<Duration> {
        let dropped = self.shared.counters.get(LogEvent::Dropped);
        let drops = (dropped > self.dropped_told).then(|| {
            let told = self.drops_told_at.map(|told| told.elapsed());
            DROPS_TOLD_EVERY.saturating_sub(told.unwrap_or(DROPS_TOLD_EVERY))
        });
        let limiter = &self.shared.limiter;
        let left_out = limiter.has_left_out().then(|| {
            let left_s = limiter.window_left_s(Timestamp::now().seconds);
            Duration::from_secs(left_s)
        });
        drops.into_iter().chain(left_out).min()
    }
}
