//! How a snapshot reaches a worker and comes back: two rings, so that nobody waits, and no worker
//! ever frees memory.

use super::Snapshot;
use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Snapshots under way to one worker, or back from it.
const CAPACITY: usize = 8;

/// A mailbox for one worker, which has `first` in its hands: the sender's end and the worker's.
pub fn mailbox(first: Arc<Snapshot>) -> (Mailbox, Inbox) {
    let (deliver, delivered) = HeapRb::new(CAPACITY).split();
    // One more than can be under way: giving back never finds the ring full.
    let (give_back, returned) = HeapRb::new(CAPACITY + 1).split();
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
pub struct Mailbox {
    deliver: HeapProd<Arc<Snapshot>>,
    returned: HeapCons<Arc<Snapshot>>,
    news: Arc<AtomicBool>,
    outstanding: usize,
}

impl Mailbox {
    /// Sends a snapshot; gives it back when too many are still under way.
    pub fn send(&mut self, snapshot: Arc<Snapshot>) -> Result<(), Arc<Snapshot>> {
        self.collect();
        if self.outstanding == CAPACITY {
            return Err(snapshot);
        }
        self.deliver.try_push(snapshot)?;
        self.outstanding += 1;
        self.news.store(true, Ordering::Release);
        Ok(())
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
pub struct Inbox {
    current: Arc<Snapshot>,
    delivered: HeapCons<Arc<Snapshot>>,
    give_back: HeapProd<Arc<Snapshot>>,
    news: Arc<AtomicBool>,
}

impl Inbox {
    /// The snapshot to answer from.
    pub fn current(&self) -> &Snapshot {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::NameKey;
    use crate::snapshot::Policy;

    fn snapshot(generation: u64) -> Arc<Snapshot> {
        let key = NameKey::new([1, 2, 3]);
        Arc::new(Snapshot::new(generation, Vec::new(), Policy::default(), key).unwrap())
    }

    #[test]
    fn a_worker_answers_from_the_newest_and_returns_the_others() {
        let (mut mailbox, mut inbox) = mailbox(snapshot(0));
        assert!(!inbox.take());
        let watched = snapshot(1);
        mailbox.send(Arc::clone(&watched)).ok().unwrap();
        mailbox.send(snapshot(2)).ok().unwrap();
        assert_eq!(mailbox.collect(), 2);
        assert!(inbox.take());
        assert_eq!(inbox.current().generation(), 2);
        assert_eq!(
            Arc::strong_count(&watched),
            2,
            "given back, not dropped by the worker"
        );
        assert_eq!(mailbox.collect(), 0);
        assert_eq!(Arc::strong_count(&watched), 1);
        assert!(!inbox.take());
    }

    #[test]
    fn a_full_mailbox_refuses_and_loses_nothing() {
        let (mut mailbox, mut inbox) = mailbox(snapshot(0));
        let sent = (1..)
            .take_while(|&i| mailbox.send(snapshot(i)).is_ok())
            .count();
        assert_eq!(sent, CAPACITY);
        inbox.take();
        assert_eq!(inbox.current().generation(), CAPACITY as u64);
        assert!(mailbox.send(snapshot(99)).is_ok());
    }

    #[test]
    fn snapshots_cross_threads_and_all_are_freed() {
        let (mut mailbox, mut inbox) = mailbox(snapshot(0));
        let last = 2000;
        let worker = std::thread::spawn(move || {
            let mut newest = 0;
            while newest < last {
                if inbox.take() {
                    assert!(inbox.current().generation() > newest, "never goes back");
                    newest = inbox.current().generation();
                }
            }
            inbox
        });
        for generation in 1..=last {
            let mut next = snapshot(generation);
            while let Err(refused) = mailbox.send(next) {
                next = refused;
                std::thread::yield_now();
            }
        }
        let inbox = worker.join().unwrap();
        assert_eq!(mailbox.collect(), 0);
        assert_eq!(inbox.current().generation(), last);
    }
}
