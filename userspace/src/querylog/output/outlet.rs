//! One query log: entries become chunks, and chunks go to its thread.

use super::super::counts::QueryLogCounts;
use super::super::{Entry, Tap};
use super::Output;
use super::sink::Sink;
use std::io;
use std::sync::Arc;

/// Bytes after which a chunk goes at once.
const CHUNK_LEN: usize = 256 << 10;

/// A query log that is written.
pub(in super::super) struct Outlet {
    output: Output,
    number: u8,
    chunk: Vec<u8>,
    count: u64,
    sink: Sink,
}

impl Outlet {
    /// The log with this number.
    pub(in super::super) fn new(
        output: Output,
        number: u8,
        counts: Arc<QueryLogCounts>,
        taken: &[usize],
    ) -> io::Result<Self> {
        Ok(Self {
            sink: Sink::start(&output, counts, taken)?,
            output,
            number,
            chunk: Vec::new(),
            count: 0,
        })
    }

    /// What it needs of the workers.
    pub(in super::super) fn tap(&self) -> Tap {
        let Output {
            format,
            filter,
            sample,
            ..
        } = &self.output;
        format.tap(self.number, filter, *sample)
    }

    /// Takes an entry, if it is one of its own.
    pub(in super::super) fn take(&mut self, entry: &Entry<'_>) {
        if entry.reply.taps & 1 << self.number == 0 {
            return;
        }
        self.output.format.write(entry, &mut self.chunk);
        self.count += 1;
        if self.chunk.len() >= CHUNK_LEN {
            self.flush();
        }
    }

    /// Has written what it has.
    pub(in super::super) fn flush(&mut self) {
        let count = std::mem::take(&mut self.count);
        if count != 0 {
            // As long as the last one was: the next will not be much longer.
            let next = Vec::with_capacity(self.chunk.len());
            self.sink
                .send(std::mem::replace(&mut self.chunk, next), count);
        }
    }

    /// Begins another file.
    pub(in super::super) fn rotate(&mut self) {
        self.flush();
        self.sink.rotate();
    }

    /// Ends, when all is written.
    pub(in super::super) fn stop(mut self) {
        self.flush();
        self.sink.stop();
    }
}
