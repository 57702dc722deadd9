//! What the mailbox is built from.

pub(super) use ringbuf::traits::{Consumer, Producer};
pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicBool, Ordering};

use ringbuf::traits::Split;
use ringbuf::{HeapCons, HeapProd, HeapRb};

pub(super) type Sender<T> = HeapProd<T>;
pub(super) type Receiver<T> = HeapCons<T>;

/// A ring that one thread puts `capacity` items into, and another takes them from.
pub(super) fn ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    HeapRb::new(capacity).split()
}
