//! The ring between one thread and the writer: whole records or nothing, and nobody waits.

use super::record::{LEN_SIZE, SIZE_MAX};
use super::timestamp::Timestamp;
use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// Bytes of a ring: a few thousand lines. What was never used of it takes no memory.
const CAPACITY: usize = 16 * SIZE_MAX;

/// The thread's end.
pub(super) struct Feed(HeapProd<u8>);

/// The writer's end.
pub(super) struct Source {
    records: HeapCons<u8>,
    /// The thread's name.
    pub(super) thread: Box<str>,
}

/// A ring for the thread of this name.
pub(super) fn ring(thread: &str) -> (Feed, Source) {
    let (feed, records) = HeapRb::new(CAPACITY).split();
    let thread = thread.into();
    (Feed(feed), Source { records, thread })
}

impl Feed {
    /// Puts a record in; false where there is no room.
    pub(super) fn push(&mut self, record: &[u8]) -> bool {
        // All of it becomes visible at once, when the index of writing moves.
        self.0.vacant_len() >= record.len() && self.0.push_slice(record) == record.len()
    }
}

impl Source {
    /// The time of the next record.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let mut head = [0; LEN_SIZE + Timestamp::SIZE];
        let len = self.records.peek_slice(&mut head);
        let time = head.last_chunk::<{ Timestamp::SIZE }>();
        time.filter(|_| len == head.len())
            .map(|time| Timestamp::from_bytes(*time))
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &mut Vec<u8>) {
        let mut len = [0; LEN_SIZE];
        self.records.peek_slice(&mut len);
        record.resize(u32::from_le_bytes(len) as usize, 0);
        let taken = self.records.pop_slice(record);
        record.truncate(taken);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether the thread has ended and all it said was taken.
    pub(super) fn is_over(&self) -> bool {
        // In this order: the last record comes before the end.
        !self.records.write_is_held() && self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::record::tests::record;
    use std::thread;

    #[test]
    fn records_come_out_whole_and_in_order_while_others_go_in() {
        let (mut feed, mut source) = ring("t");
        let count = 20_000;
        let writer = thread::spawn(move || {
            let mut next = 0_usize;
            while next < count {
                let said = record("t", &"x".repeat(next % 3000), &[]);
                if feed.push(&said) {
                    next += 1;
                } else {
                    thread::yield_now();
                }
            }
        });
        let mut taken = Vec::new();
        for next in 0..count {
            while source.next().is_none() {
                thread::yield_now();
            }
            source.take(&mut taken);
            assert_eq!(taken, record("t", &"x".repeat(next % 3000), &[]));
        }
        writer.join().unwrap();
        assert!(source.is_over());
    }

    #[test]
    fn a_full_ring_takes_nothing_and_goes_on_when_there_is_room() {
        let (mut feed, mut source) = ring("t");
        let said = record("t", "message", &[]);
        let mut count = 0;
        while feed.push(&said) {
            count += 1;
        }
        assert_eq!(count, CAPACITY / said.len());
        assert!(!source.is_over());
        source.take(&mut Vec::new());
        assert!(feed.push(&said) && !feed.push(&said));
        drop(feed);
        (0..count).for_each(|_| source.take(&mut Vec::new()));
        assert!(source.is_over());
    }
}
