//! A thread that writes: a slow disk or reader keeps nobody waiting but it.

use super::super::counts::{QueryLogCounts, QueryLogEvent};
use super::super::thread::keep_off;
use super::file::Files;
use super::socket::Socket;
use super::{Output, Place};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Chunks that may wait to be written: some MiB.
const CHUNKS_MAX: usize = 16;
/// How often it looks whether a file is old.
const LOOK: Duration = Duration::from_millis(500);
/// How long it does not try again after an error.
const REST: Duration = Duration::from_secs(1);

/// What a sink is told.
enum Message {
    Chunk(Chunk),
    /// To begin another file.
    Rotate,
}

/// Whole entries.
struct Chunk {
    bytes: Vec<u8>,
    count: u64,
}

/// The way to the thread.
pub(super) struct Sink {
    messages: SyncSender<Message>,
    counts: Arc<QueryLogCounts>,
    thread: JoinHandle<()>,
}

impl Sink {
    /// Starts the thread; nothing is opened before there is something to write.
    pub(super) fn start(
        output: &Output,
        counts: Arc<QueryLogCounts>,
        taken: &[usize],
    ) -> io::Result<Self> {
        let target = match &output.place {
            Place::Files(options) => Target::Files(Files::new(options.clone(), output.format)),
            Place::Socket(address) => Target::Socket(Socket::new(address.clone())),
        };
        Self::to(target, counts, taken)
    }

    fn to(target: Target, counts: Arc<QueryLogCounts>, taken: &[usize]) -> io::Result<Self> {
        let (messages, inbox) = sync_channel(CHUNKS_MAX);
        let writer = Writer {
            target,
            counts: Arc::clone(&counts),
            rests_until: None,
            has_failed: false,
        };
        let builder = thread::Builder::new().name("querylog-out".to_owned());
        let taken = taken.to_vec();
        let thread = builder.spawn(move || {
            keep_off(&taken);
            writer.run(&inbox);
        })?;
        Ok(Self {
            messages,
            counts,
            thread,
        })
    }

    /// Has `count` entries written; where too much waits already, they are lost.
    pub(super) fn send(&self, bytes: Vec<u8>, count: u64) {
        let chunk = Message::Chunk(Chunk { bytes, count });
        match self.messages.try_send(chunk) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.counts.add(QueryLogEvent::TooSlow, count),
            Err(TrySendError::Disconnected(_)) => self.counts.add(QueryLogEvent::Lost, count),
        }
    }

    /// Begins another file.
    pub(super) fn rotate(&self) {
        // Where so much waits, the size will see to it.
        let _ = self.messages.try_send(Message::Rotate);
    }

    /// Writes what waits, and ends.
    pub(super) fn stop(self) {
        drop(self.messages);
        if self.thread.join().is_err() {
            tracing::error!("a query log's thread panicked");
        }
    }
}

enum Target {
    Files(Files),
    Socket(Socket),
    #[cfg(test)]
    Slow(tests::Disk),
}

struct Writer {
    target: Target,
    counts: Arc<QueryLogCounts>,
    rests_until: Option<Instant>,
    /// It was said that it cannot be written.
    has_failed: bool,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            match inbox.recv_timeout(LOOK) {
                Ok(Message::Chunk(chunk)) => self.write(&chunk),
                Ok(Message::Rotate) => self.end_file(Files::close),
                Err(RecvTimeoutError::Timeout) => self.end_file(Files::look),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        match &mut self.target {
            Target::Files(_) => self.end_file(Files::close),
            Target::Socket(socket) => {
                if let Err(error) = socket.close() {
                    tracing::debug!(%error, "a query log's reader");
                }
            }
            #[cfg(test)]
            Target::Slow(_) => {}
        }
    }

    fn write(&mut self, chunk: &Chunk) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return self.counts.add(QueryLogEvent::Lost, chunk.count);
        }
        let written = match &mut self.target {
            Target::Files(files) => files.write(&chunk.bytes, &self.counts),
            Target::Socket(socket) => socket.write(&chunk.bytes, &self.counts),
            #[cfg(test)]
            Target::Slow(disk) => disk.write(&chunk.bytes),
        };
        match written {
            Ok(()) => {
                self.counts.add(QueryLogEvent::Written, chunk.count);
                self.rests_until = None;
                if std::mem::take(&mut self.has_failed) {
                    tracing::info!("the query log {} is written again", self.place());
                }
            }
            Err(error) => {
                self.counts.add(QueryLogEvent::Lost, chunk.count);
                self.rests_until = Some(Instant::now() + REST);
                self.complain(&error);
            }
        }
        self.end_file(Files::look);
    }

    fn end_file(&mut self, end: impl FnOnce(&mut Files) -> io::Result<()>) {
        if let Target::Files(files) = &mut self.target
            && let Err(error) = end(files)
        {
            self.complain(&error);
        }
    }

    /// Says once that something is wrong.
    fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::warn!("the query log {} is not written: {error}", self.place());
        }
    }

    fn place(&self) -> String {
        match &self.target {
            Target::Files(files) => files.path().display().to_string(),
            Target::Socket(socket) => socket.address().to_string(),
            #[cfg(test)]
            Target::Slow(_) => "a slow disk".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// A disk that writes a chunk when it is let, and says when it has begun to.
    pub(super) struct Disk {
        begun: Sender<usize>,
        let_go: Receiver<()>,
    }

    impl Disk {
        pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.begun.send(bytes.len()).map_err(io::Error::other)?;
            self.let_go.recv().map_err(io::Error::other)
        }
    }

    #[test]
    fn on_a_slow_disk_so_many_chunks_wait_and_all_others_are_counted_at_once() {
        const ENTRIES: u64 = 3;
        let (begun, has_begun) = channel();
        let (go, let_go) = channel();
        let counts = Arc::new(QueryLogCounts::default());
        let disk = Target::Slow(Disk { begun, let_go });
        let sink = Sink::to(disk, Arc::clone(&counts), &[]).unwrap();
        let told = || {
            use QueryLogEvent::{Lost, TooSlow, Written};
            [Written, TooSlow, Lost].map(|event| counts.get(event) / ENTRIES)
        };
        sink.send(vec![0; 1], ENTRIES);
        assert_eq!(has_begun.recv(), Ok(1), "it writes, and is held up");
        let (waiting, start) = (CHUNKS_MAX as u64, Instant::now());
        for number in 0..1000 {
            sink.send(vec![0; 2], ENTRIES);
            let too_slow = (number + 1_u64).saturating_sub(waiting);
            assert_eq!(told(), [0, too_slow, 0]);
        }
        // Nor does who wants another file wait.
        sink.rotate();
        assert!(start.elapsed() < Duration::from_secs(5), "nobody waits");
        // One chunk is written: there is room for one more.
        go.send(()).unwrap();
        assert_eq!(has_begun.recv(), Ok(2));
        sink.send(vec![0; 2], ENTRIES);
        sink.send(vec![0; 2], ENTRIES);
        assert_eq!(told(), [1, 1000 - waiting + 1, 0]);
        // What waits is written at the end.
        for _ in 0..=waiting {
            go.send(()).unwrap();
        }
        sink.stop();
        assert_eq!(told(), [waiting + 2, 1000 - waiting + 1, 0]);
    }
}
