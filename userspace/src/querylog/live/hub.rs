//! Where live streams are subscribed to.

use super::super::Filter;
use super::super::thread::Command;
use super::{LiveCounts, LiveEvent, Onlooker, TopOptions};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::sync::mpsc;

/// The most that may subscribe at a time: each has a tap.
pub const SUBSCRIBERS_MAX: usize = 16;
/// Messages that may wait for a subscriber, some MiB: what all workers bring at once is no loss.
const MESSAGES_MAX: usize = 8192;
/// Lists that may wait: they are long, and old ones are of no use.
const LISTS_MAX: usize = 4;

/// What a subscriber wants to see.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of which queries.
    pub filter: Filter,
    /// Of one of so many of those.
    pub sample: u32,
    /// In which form.
    pub view: View,
}

/// A form in which queries are seen.
#[derive(Clone, Debug)]
pub enum View {
    /// Each of them.
    Tail,
    /// The most frequent.
    Top(TopOptions),
}

/// What a subscriber is told. Texts are JSON objects without a line's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// All workers look from now on; nothing comes before this.
    Begun,
    /// A query and its answer, as in the query log.
    Entry(Bytes),
    /// What was most frequent.
    Top(Bytes),
    /// So many messages were lost here.
    Lost(u64),
}

impl Message {
    /// Appends it as a line; of the beginning nothing is told.
    pub fn write(&self, lines: &mut Vec<u8>) {
        let (name, text) = match self {
            Self::Begun => return,
            Self::Entry(text) => ("entry", text.clone()),
            Self::Top(text) => ("top", text.clone()),
            Self::Lost(count) => ("lost", count.to_string().into()),
        };
        lines.extend(b"{\"");
        lines.extend(name.as_bytes());
        lines.extend(b"\":");
        lines.extend(&text);
        lines.extend(b"}\n");
    }
}

/// Why there is no live stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// All places are taken.
    #[error("there are {SUBSCRIBERS_MAX} live streams already, and may be no more")]
    Full,
    /// Nobody reads what workers record any more.
    #[error("the server is stopping")]
    Stopping,
}

/// The way to the query log's thread.
#[derive(Clone)]
pub struct Hub {
    commands: Sender<Command>,
    counts: Arc<LiveCounts>,
}

impl Hub {
    pub(in super::super) fn new(commands: Sender<Command>) -> Self {
        let counts = Arc::default();
        Self { commands, counts }
    }

    /// What is counted of live streams.
    pub fn counts(&self) -> &Arc<LiveCounts> {
        &self.counts
    }

    /// Begins a live stream. It ends when the subscription is dropped, or with the server.
    pub fn subscribe(&self, wanted: Wanted) -> Result<Subscription, Unavailable> {
        if !self.counts.enter(SUBSCRIBERS_MAX) {
            self.counts.add(LiveEvent::Refused, 1);
            return Err(Unavailable::Full);
        }
        let seat = Seat(Arc::clone(&self.counts));
        let (sender, messages) = mpsc::channel(match wanted.view {
            View::Tail => MESSAGES_MAX,
            View::Top(_) => LISTS_MAX,
        });
        let onlooker = Onlooker::new(wanted, sender, Arc::clone(&self.counts));
        let sent = self.commands.send(Command::Look(Box::new(onlooker)));
        sent.map_err(|_| Unavailable::Stopping)?;
        self.counts.add(LiveEvent::Begun, 1);
        Ok(Subscription {
            messages,
            _seat: seat,
        })
    }
}

/// A live stream.
pub struct Subscription {
    messages: mpsc::Receiver<Message>,
    _seat: Seat,
}

impl Subscription {
    /// The next message; `None`: the server is stopping.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// The next message if there is one.
    pub fn next_now(&mut self) -> Option<Message> {
        self.messages.try_recv().ok()
    }
}

/// A place among the subscribers.
struct Seat(Arc<LiveCounts>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.leave();
    }
}
