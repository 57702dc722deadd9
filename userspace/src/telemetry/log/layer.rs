//! The thread's side: an event becomes a record in the thread's ring.

use super::counters::LogEvent;
use super::limiter::Admission;
use super::record::{SIZE_MAX, encode};
use super::ring::{Feed, ring};
use super::shared::Shared;
use super::timestamp::Timestamp;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::thread;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// What the kernel program says: a message per packet, if it is told to.
const KERNEL_PROGRAM: &str = "xdp";

thread_local! {
    static MINE: RefCell<Option<Mine>> = const { RefCell::new(None) };
    static IS_HOT: Cell<bool> = const { Cell::new(false) };
}

/// What a thread has of its own once it has logged something.
struct Mine {
    /// The log that it is for.
    id: u64,
    feed: Feed,
    /// Where a record is made.
    record: Vec<u8>,
}

/// From now on the calling thread's messages are limited, for it may have one per packet.
pub fn limit_this_thread() {
    IS_HOT.set(true);
}

/// Whether the calling thread is in the midst of a message, and cannot have another.
pub(super) fn is_busy() -> bool {
    MINE.try_with(|mine| mine.try_borrow_mut().is_err())
        .unwrap_or(true)
}

/// Puts events into rings. Never waits; what finds no room is counted.
pub(super) struct Rings(pub(super) Arc<Shared>);

impl<S: Subscriber> Layer<S> for Rings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (time, metadata) = (Timestamp::now(), event.metadata());
        if is_limited(metadata) {
            match self.0.limiter.admit(metadata, time.seconds) {
                Admission::Yes => {}
                refused => {
                    self.0.counters.add(LogEvent::RateLimited);
                    if refused == Admission::NoLonger {
                        // It tells of it when the window is over.
                        self.0.wake();
                    }
                    return;
                }
            }
        }
        if self.put(time, event) {
            self.0.counters.message(*metadata.level());
        } else {
            self.0.counters.add(LogEvent::Dropped);
        }
        self.0.wake();
    }
}

impl Rings {
    /// Puts a record of the event into this thread's ring; false when that cannot be.
    fn put(&self, time: Timestamp, event: &Event<'_>) -> bool {
        let put = |mine: &RefCell<Option<Mine>>| {
            // It is taken where a value logs something while it is being written.
            let Ok(mut mine) = mine.try_borrow_mut() else {
                return false;
            };
            if mine.as_ref().is_none_or(|mine| mine.id != self.0.id) {
                *mine = self.begin();
            }
            mine.as_mut().is_some_and(|mine| {
                encode(&mut mine.record, time, event);
                mine.feed.push(&mine.record)
            })
        };
        // A thread that ends has its ring no more.
        MINE.try_with(put).unwrap_or(false)
    }

    /// A ring for this thread; none when there is no writer.
    fn begin(&self) -> Option<Mine> {
        let (feed, source) = ring(thread::current().name().unwrap_or("unnamed"));
        self.0.arrivals.send(source).ok()?;
        Some(Mine {
            id: self.0.id,
            feed,
            record: Vec::with_capacity(SIZE_MAX),
        })
    }
}

/// Details are limited in the kernel program's messages only: elsewhere somebody asked for them.
fn is_limited(metadata: &Metadata<'_>) -> bool {
    let is_detail = *metadata.level() > Level::INFO;
    metadata.target() == KERNEL_PROGRAM || IS_HOT.get() && !is_detail
}
