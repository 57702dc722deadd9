//! What the mailbox is built from. The model checker puts its own in their place:
//! `tests/tests/mailbox_model.rs`.

pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicBool, Ordering};

use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// The end of a ring that items are put into.
pub(super) struct Sender<T>(HeapProd<T>);
/// The end that they are taken from.
pub(super) struct Receiver<T>(HeapCons<T>);

/// A ring that one thread puts `capacity` items into, and another takes them from.
pub(super) fn ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = HeapRb::new(capacity).split();
    (Sender(sender), Receiver(receiver))
}

impl<T> Sender<T> {
    /// Puts an item in; gives it back where the ring is full.
    pub(super) fn try_push(&mut self, item: T) -> Result<(), T> {
        self.0.try_push(item)
    }
}

impl<T> Receiver<T> {
    /// Takes the oldest item.
    pub(super) fn try_pop(&mut self) -> Option<T> {
        self.0.try_pop()
    }
}
