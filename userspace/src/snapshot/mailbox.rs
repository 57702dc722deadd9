//! How a snapshot reaches a worker and comes back: two rings, so that nobody waits, and no worker
//! ever frees memory.

use super::sync::{Arc, AtomicBool, Ordering, Receiver, Sender, ring};

/// Snapshots under way to one worker, or back from it.
pub(super) const CAPACITY: usize = 8;

/// A mailbox for one worker, which has `first` in its hands: the sender's end and the worker's.
pub fn mailbox<S>(first: Arc<S>) -> (Mailbox<S>, Inbox<S>) {
    let (deliver, delivered) = ring(CAPACITY);
    // One more than can be under way: giving back never finds the ring full.
    let (give_back, returned) = ring(CAPACITY + 1);
    let news = Arc::new(AtomicBool::new(false));
    let mailbox = Mailbox {
        deliver,
        returned,
        news: Arc::clone(&news),
        outstanding: 0,
    };
    (
        mailbox,
        Inbox {
            current: first,
            delivered,
            give_back,
            news,
        },
    )
}

/// The resource thread's end.
pub struct Mailbox<S> {
    deliver: Sender<Arc<S>>,
    returned: Receiver<Arc<S>>,
    news: Arc<AtomicBool>,
    outstanding: usize,
}

impl<S> Mailbox<S> {
    /// Sends a snapshot; gives it back when too many are still under way.
    pub fn send(&mut self, snapshot: Arc<S>) -> Result<(), Arc<S>> {
        self.collect();
        if self.outstanding == CAPACITY {
            return Err(snapshot);
        }
        self.deliver.try_push(snapshot)?;
        self.outstanding += 1;
        // As the worker's end does: then one of the two comes first, for everybody.
        self.news.swap(true, Ordering::Release);
        Ok(())
    }

    /// Whether the worker's end is gone.
    pub fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.news) == 1
    }

    /// Drops what the worker has given back. Returns how many snapshots are still under way.
    pub fn collect(&mut self) -> usize {
        while let Some(old) = self.returned.try_pop() {
            self.outstanding -= 1;
            drop(old);
        }
        self.outstanding
    }
}

/// The worker's end.
pub struct Inbox<S> {
    current: Arc<S>,
    delivered: Receiver<Arc<S>>,
    give_back: Sender<Arc<S>>,
    news: Arc<AtomicBool>,
}

impl<S> Inbox<S> {
    /// The snapshot to answer from.
    pub fn current(&self) -> &S {
        &self.current
    }

    /// Takes the newest snapshot that has come, and gives the older ones back. One relaxed load
    /// when there is none. Returns whether there was one.
    pub fn take(&mut self) -> bool {
        if !self.news.load(Ordering::Relaxed) {
            return false;
        }
        self.news.swap(false, Ordering::Acquire);
        let mut took = false;
        while let Some(new) = self.delivered.try_pop() {
            let old = std::mem::replace(&mut self.current, new);
            // There is room: the other end lets no more be under way than this ring holds.
            if let Err(old) = self.give_back.try_push(old) {
                std::mem::forget(old);
            }
            took = true;
        }
        took
    }
}
