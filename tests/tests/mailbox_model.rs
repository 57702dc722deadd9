//! The mailbox between resource thread and worker, in every order that the memory model allows: the
//! server's own code, on loom's atomics.

#[path = "../../userspace/src/snapshot/mailbox.rs"]
#[expect(dead_code, unreachable_pub, reason = "another crate's module")]
mod mailbox;

/// What the mailbox is built from, as loom has it; a ring with the orderings of `ringbuf`.
mod sync {
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};

    use loom::sync::Mutex;
    use loom::sync::atomic::AtomicUsize;

    struct Ring<T> {
        /// No thread ever waits for one: the indices say whose turn it is.
        slots: Vec<Mutex<Option<T>>>,
        written: AtomicUsize,
        read: AtomicUsize,
    }

    pub(super) struct Sender<T>(Arc<Ring<T>>);
    pub(super) struct Receiver<T>(Arc<Ring<T>>);

    /// A ring with room for `capacity` items.
    pub(super) fn ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let ring = Arc::new(Ring {
            slots: (0..capacity).map(|_| Mutex::new(None)).collect(),
            written: AtomicUsize::new(0),
            read: AtomicUsize::new(0),
        });
        (Sender(Arc::clone(&ring)), Receiver(ring))
    }

    impl<T> Sender<T> {
        pub(super) fn try_push(&mut self, item: T) -> Result<(), T> {
            let ring = &*self.0;
            let written = ring.written.load(Ordering::Relaxed);
            if written - ring.read.load(Ordering::Acquire) == ring.slots.len() {
                return Err(item);
            }
            *ring.slots[written % ring.slots.len()]
                .try_lock()
                .expect("nobody else has it") = Some(item);
            ring.written.store(written + 1, Ordering::Release);
            Ok(())
        }
    }

    impl<T> Receiver<T> {
        pub(super) fn try_pop(&mut self) -> Option<T> {
            let ring = &*self.0;
            let read = ring.read.load(Ordering::Relaxed);
            if read == ring.written.load(Ordering::Acquire) {
                return None;
            }
            let item = ring.slots[read % ring.slots.len()]
                .try_lock()
                .expect("nobody else has it")
                .take();
            ring.read.store(read + 1, Ordering::Release);
            item
        }
    }
}

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use mailbox::{Inbox, mailbox};

#[test]
fn a_worker_never_goes_back_ends_with_the_newest_and_all_come_home() {
    loom::model(|| {
        let (mut post, mut inbox) = mailbox(Arc::new(0));
        let worker = thread::spawn(move || {
            let mut newest = 0;
            for _ in 0..2 {
                look(&mut inbox, &mut newest);
            }
            (inbox, newest)
        });
        assert!(post.send(Arc::new(1)).is_ok());
        assert!(post.send(Arc::new(2)).is_ok());
        post.collect();
        let (mut inbox, mut newest) = worker.join().unwrap();
        look(&mut inbox, &mut newest);
        assert_eq!(newest, 2);
        // Loom complains of every Arc that is not freed.
        assert_eq!(post.collect(), 0);
    });
}

/// Takes what has come.
fn look(inbox: &mut Inbox<u32>, newest: &mut u32) {
    let took = inbox.take();
    let current = *inbox.current();
    assert!(current >= *newest, "{current} after {newest}");
    assert_eq!(took, current > *newest);
    *newest = current;
}

#[test]
fn a_worker_that_falls_asleep_meanwhile_is_woken() {
    loom::model(|| {
        let (mut post, mut inbox) = mailbox(Arc::new(0));
        // An eventfd: it stays readable until it is read.
        let bell = Arc::new((Mutex::new(false), Condvar::new()));
        let rung = Arc::clone(&bell);
        let worker = thread::spawn(move || {
            while !inbox.take() {
                let (is_rung, changed) = &*rung;
                let mut is_rung = is_rung.lock().unwrap();
                while !*is_rung {
                    is_rung = changed.wait(is_rung).unwrap();
                }
                *is_rung = false;
            }
            assert_eq!(*inbox.current(), 1);
            inbox
        });
        assert!(post.send(Arc::new(1)).is_ok());
        *bell.0.lock().unwrap() = true;
        bell.1.notify_one();
        // A worker that slept for ever would be a deadlock, which loom reports.
        drop(worker.join().unwrap());
        post.collect();
    });
}
