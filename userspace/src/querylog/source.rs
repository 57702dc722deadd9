//! A worker, as the query log's thread has it: it gives buffers and takes them back.

use super::counts::{QueryLogCounts, QueryLogEvent};
use super::entry::entries;
use super::{Buffer, Entry, Reader, Taps};
use crate::sys::clock::{Moment, Timescale};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After which time even the little that a worker has written is taken.
pub(super) const FLIP: Duration = Duration::from_millis(100);

/// A worker whose queries are read.
pub struct Source {
    name: String,
    reader: Reader,
    wake: Box<dyn Fn() + Send>,
    /// A buffer to be filled next.
    spare: Option<Buffer>,
    /// Buffers there are: the spare one, and what the worker has.
    buffers: usize,
    /// Whom it was told of.
    taps: Arc<Taps>,
    /// Whether it is known to have heard of them.
    has_obeyed: bool,
    /// The bits of taps that a record which is not read yet may have.
    under_way: u32,
    flipped: Instant,
    /// When the last two orders were given, between which and now all was written that is read.
    ordered: [Moment; 2],
}

impl Source {
    /// The worker with this name; `wake` ends its sleep, so that it sees what it is told.
    pub fn new(name: String, reader: Reader, wake: impl Fn() + Send + 'static) -> Self {
        Self {
            name,
            reader,
            wake: Box::new(wake),
            spare: None,
            buffers: 0,
            taps: Arc::default(),
            has_obeyed: true,
            under_way: 0,
            flipped: Instant::now(),
            ordered: [Moment::now(); 2],
        }
    }

    /// Gives the worker another buffer when it is time to.
    pub(super) fn flip(&mut self, taps: &Arc<Taps>, buffer_len: usize) {
        let filled = self.reader.filled();
        let is_due = filled >= buffer_len / 4 || filled != 0 && self.flipped.elapsed() >= FLIP;
        if self.reader.is_waiting() || !is_due && self.knows(taps) {
            return;
        }
        let buffer = (!taps.is_empty()).then(|| self.buffer(buffer_len));
        match self.reader.order(Arc::clone(taps), buffer) {
            Ok(()) => {
                self.has_obeyed &= Arc::ptr_eq(&self.taps, taps);
                self.taps = Arc::clone(taps);
                self.under_way |= taps.bits();
                self.flipped = Instant::now();
                self.ordered = [self.ordered[1], Moment::now()];
                (self.wake)();
            }
            Err(buffer) => self.spare = buffer,
        }
    }

    /// Whether the worker records for nobody else than these.
    pub(super) fn is_told(&self, taps: &Arc<Taps>) -> bool {
        self.knows(taps) && self.has_obeyed || self.reader.is_abandoned()
    }

    /// Whether the worker has ended. What it has left can still be read.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reader.is_abandoned()
    }

    /// The bits of taps that a record which is not read yet may have.
    pub(super) fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Buffers that it has memory for.
    pub(super) fn buffers(&self) -> usize {
        self.buffers
    }

    /// Hands on what the worker has written.
    pub(super) fn read(&mut self, counts: &QueryLogCounts, mut take: impl FnMut(&Entry<'_>)) {
        while let Some(delivered) = self.reader.take() {
            if let Some(mut buffer) = delivered {
                let scale = Timescale::between(self.ordered[0], Moment::now());
                entries(&buffer, &self.name, &scale, |entry| {
                    counts.add(QueryLogEvent::Recorded, 1);
                    take(entry);
                });
                buffer.clear();
                // A second one is needed while the first is read, and no third.
                self.buffers -= usize::from(self.spare.is_some());
                self.spare = Some(buffer);
            }
            self.under_way = self.taps.bits();
            // No order is sent before the last one's delivery has come.
            self.has_obeyed = true;
        }
        // Nobody looks on: there is nothing to be written.
        if self.taps.is_empty() && self.spare.take().is_some() {
            self.buffers -= 1;
        }
    }

    fn knows(&self, taps: &Arc<Taps>) -> bool {
        Arc::ptr_eq(&self.taps, taps) || self.taps.is_empty() && taps.is_empty()
    }

    fn buffer(&mut self, len: usize) -> Buffer {
        self.spare.take().unwrap_or_else(|| {
            self.buffers += 1;
            Buffer::new(len)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Tap, recorder};
    use super::*;

    #[test]
    fn a_worker_that_always_gets_another_buffer_is_told_all_the_same() {
        let (mut recorder, reader) = recorder();
        let mut source = Source::new("w".to_owned(), reader, || {});
        let taps = Arc::new(Taps::new([Tap {
            number: 0,
            filter: Filter::default(),
            sample: 1,
            reply_len: 0,
            queries: false,
        }]));
        let counts = QueryLogCounts::default();
        // As long as this, every buffer is due for another.
        let turn = |source: &mut Source, taps: &Arc<Taps>| {
            source.read(&counts, |_| {});
            source.flip(taps, 0);
            source.is_told(taps)
        };
        assert!(!turn(&mut source, &taps), "the worker has not looked yet");
        for _ in 0..3 {
            recorder.begin(|| 1);
            assert!(turn(&mut source, &taps));
        }
        let nobody = Arc::default();
        recorder.begin(|| 1);
        assert!(!turn(&mut source, &nobody), "it still records");
    }
}
