//! What all threads have in common with the writer: how it is woken, and how it says it is done.

use super::counters::LogCounters;
use super::limiter::Limiter;
use super::ring::Source;
use crate::sys::waker::Waker;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The writer works, or is about to look for work.
const AWAKE: u8 = 0;
/// It has found nothing, and looks a last time.
const DROWSY: u8 = 1;
/// It has written all there was, and sleeps.
const ASLEEP: u8 = 2;

/// One log.
pub(super) struct Shared {
    /// Tells this log from others that the same thread wrote to: tests have several.
    pub(super) id: u64,
    /// Rings of threads that begin.
    pub(super) arrivals: Sender<Source>,
    pub(super) counters: LogCounters,
    pub(super) limiter: Limiter,
    waker: Waker,
    state: AtomicU8,
    reopen: AtomicBool,
    /// CPUs that the writer is to keep off from now on.
    taken: Mutex<Option<Vec<usize>>>,
    closing: AtomicBool,
    /// How often it was asked to write all there is, and the last of these that is done.
    asked: AtomicU64,
    done: Mutex<u64>,
    finished: Condvar,
    /// Whether somebody has waited in vain, and may be spared another time.
    stuck: AtomicBool,
}

impl Shared {
    /// A log whose writer gets the rings from the other end.
    pub(super) fn new(limiter: Limiter) -> io::Result<(Self, Receiver<Source>)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (arrivals, arrived) = channel();
        let shared = Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            arrivals,
            counters: LogCounters::default(),
            limiter,
            waker: Waker::new()?,
            state: AtomicU8::new(AWAKE),
            reopen: AtomicBool::new(false),
            taken: Mutex::default(),
            closing: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            done: Mutex::new(0),
            finished: Condvar::new(),
            stuck: AtomicBool::new(false),
        };
        Ok((shared, arrived))
    }

    /// Wakes the writer if it sleeps: there is something new for it.
    pub(super) fn wake(&self) {
        // Either the writer sees what is new when it looks a last time, or this sees it drowsy.
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) != AWAKE
            && self.state.swap(AWAKE, Ordering::SeqCst) != AWAKE
        {
            // An eventfd's write fails only on a full counter, and then the writer is awake.
            let _ = self.waker.wake();
        }
    }

    /// The writer is about to sleep; it looks for work once more after this.
    pub(super) fn get_drowsy(&self) {
        self.state.store(DROWSY, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// The writer has found nothing; false when somebody has something for it meanwhile.
    pub(super) fn fall_asleep(&self) -> bool {
        let (from, to) = (DROWSY, ASLEEP);
        let seq_cst = Ordering::SeqCst;
        self.state
            .compare_exchange(from, to, seq_cst, seq_cst)
            .is_ok()
    }

    /// The writer goes on.
    pub(super) fn wake_up(&self) {
        self.state.store(AWAKE, Ordering::SeqCst);
        // At worst the next sleep is short.
        let _ = self.waker.clear();
    }

    /// What the writer sleeps on.
    pub(super) fn waker(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }

    /// Waits until all is written that was logged before, at most so long; false when it is not.
    /// With `patient` it waits although others have in vain.
    pub(super) fn flush(&self, longest: Duration, patient: bool) -> bool {
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::SeqCst) == ASLEEP {
            return true;
        }
        if self.stuck.load(Ordering::Relaxed) && !patient {
            return false;
        }
        let ticket = self.ask();
        self.wake();
        self.wait(ticket, longest)
    }

    /// Makes the writer write all there is, whatever it would keep for later, and end. Waits for
    /// it as [`Self::flush`] does.
    pub(super) fn close(&self, longest: Duration) -> bool {
        // In this order: the writer looks for the order to end first.
        let ticket = self.ask();
        self.closing.store(true, Ordering::SeqCst);
        self.wake();
        self.wait(ticket, longest)
    }

    fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn wait(&self, ticket: u64, longest: Duration) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .finished
            .wait_timeout_while(done, longest, |done| *done < ticket);
        let (done, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_done = *done >= ticket;
        self.stuck.store(!is_done, Ordering::Relaxed);
        is_done
    }

    /// How often the writer was asked so far.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// All is written that was logged before it was asked for the `ticket`th time.
    pub(super) fn finish(&self, ticket: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if *done < ticket {
            *done = ticket;
            self.stuck.store(false, Ordering::Relaxed);
            self.finished.notify_all();
        }
    }

    /// Makes the writer open its file anew.
    pub(super) fn reopen(&self) {
        self.reopen.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether it is to, since the last time.
    pub(super) fn take_reopen(&self) -> bool {
        self.reopen.swap(false, Ordering::SeqCst)
    }

    /// Makes the writer keep off these CPUs.
    pub(super) fn keep_off(&self, taken: Vec<usize>) {
        *self.taken() = Some(taken);
        self.wake();
    }

    /// The CPUs that it is to keep off, since the last time.
    pub(super) fn take_taken(&self) -> Option<Vec<usize>> {
        self.taken().take()
    }

    fn taken(&self) -> MutexGuard<'_, Option<Vec<usize>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is to.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Whether the writer has something else to do than writing.
    pub(super) fn has_orders(&self) -> bool {
        let done = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = self.reopen.load(Ordering::SeqCst) || self.taken().is_some();
        self.is_closing() || self.asked() > done || is_told
    }
}
