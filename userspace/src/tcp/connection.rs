//! One connection as a state machine: bytes and times in, bytes and the next step out.

use super::framing::{self, Frame};
use super::metrics::{TcpClose, TcpEvent, TcpTally};
use super::stock::OutOfStock;
use super::{Answers, Block, Messages, Peer, Stock};
use std::ops::Range;

/// What a connection waits for; each kind has its own timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first query.
    First,
    /// The rest of a partial query, or its turn.
    Partial,
    /// A further query.
    Idle,
    /// Room in the socket for answers that its client does not read.
    Send,
}

impl Wait {
    /// Every kind, in the order of their indices.
    pub const ALL: [Self; 4] = [Self::First, Self::Partial, Self::Idle, Self::Send];
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Give it what the client sent: [`Connection::receive`] or [`Connection::receive_end`].
    Receive,
    /// Let it go on with queries that it holds already: [`Connection::resume`].
    Resume,
    /// Send its unsent answers when the socket takes bytes again, and nothing else before.
    Send,
    /// Close it.
    Close(TcpClose),
}

/// What a connection works with while it is visited.
#[derive(Debug)]
pub struct Visit<'a> {
    /// Queries that may still be taken in this visit.
    pub queries_left: u32,
    /// Longest query, in bytes.
    pub query_size_max: usize,
    /// Where queries go, and replies come from.
    pub messages: &'a mut Messages,
    /// Where its answers are gathered; empty at the beginning.
    pub answers: &'a mut Answers,
    /// Where memory beyond this visit comes from.
    pub stock: &'a mut Stock,
    /// What is counted.
    pub tally: &'a mut TcpTally,
}

/// A connection, from accept to close.
///
/// A visit is: any number of `receive`, `receive_end` and `resume` while the visit
/// [has room](Visit::has_room); when the messages have been answered, `collect`, `unsent` and
/// `sent` until all have left or the socket takes no more, and `give_back`; then `settle` and
/// `next`.
#[derive(Debug)]
pub struct Connection {
    peer: Peer,
    /// Received and not yet taken: a torn message, or whole ones beyond a visit's share.
    input: Block,
    /// What the socket did not take. While there is any, no query is answered.
    output: Block,
    wait: Wait,
    since_ms: u64,
    /// The input begins with a whole message.
    resumable: bool,
    /// There was a query.
    queried: bool,
    /// There was one since the last `settle`.
    progressed: bool,
    /// Queries to take at a time; few of a client that does not read as fast as it asks.
    share: u16,
    /// The client will send no more.
    input_ended: bool,
    /// Close for this reason once all answers have left.
    ending: Option<TcpClose>,
    /// Close for this reason at once.
    broken: Option<TcpClose>,
}

impl Connection {
    /// A connection that was accepted at `now_ms`.
    pub fn new(peer: Peer, now_ms: u64) -> Self {
        Self {
            peer,
            input: Block::default(),
            output: Block::default(),
            wait: Wait::First,
            since_ms: now_ms,
            resumable: false,
            queried: false,
            progressed: false,
            share: u16::MAX,
            input_ended: false,
            ending: None,
            broken: None,
        }
    }

    /// How many queries it may have answered at a time.
    pub fn share(&self) -> u32 {
        self.share.into()
    }

    /// Takes bytes that the client sent: the whole queries in them are to be answered, the rest is
    /// kept.
    pub fn receive(&mut self, bytes: &[u8], visit: &mut Visit<'_>) {
        if self.ending.is_some() {
            return;
        }
        if !self.input.is_empty() {
            match visit.stock.append(&mut self.input, bytes) {
                Ok(()) => self.resume(visit),
                Err(OutOfStock) => self.ending = Some(TcpClose::OutOfMemory),
            }
            return;
        }
        let taken = visit.take(&self.peer, bytes);
        self.note(&taken);
        let rest = &bytes[taken.len..];
        if self.ending.is_none() && !rest.is_empty() {
            self.ending = visit
                .stock
                .append(&mut self.input, rest)
                .err()
                .map(|OutOfStock| TcpClose::OutOfMemory);
        }
    }

    /// Takes the end of what the client sends. It may still read: its queries are answered.
    pub fn receive_end(&mut self) {
        self.input_ended = true;
    }

    /// Takes whole queries that are held already.
    pub fn resume(&mut self, visit: &mut Visit<'_>) {
        let taken = visit.take(&self.peer, self.input.bytes());
        self.note(&taken);
        self.input.consume(taken.len);
        if self.input.is_empty() || taken.ending.is_some() {
            visit.stock.release(std::mem::take(&mut self.input));
        }
    }

    /// Gathers the replies to its queries while there is room; `range` says which messages are its
    /// own, and afterwards, which are left.
    pub fn collect(&mut self, range: &mut Range<usize>, visit: &mut Visit<'_>) {
        let before = range.len();
        while !visit.answers.is_full()
            && let Some(index) = range.next()
        {
            let Some(reply) = visit.messages.reply(index) else {
                // What comes behind it, is not answered either.
                visit.tally.add(TcpEvent::Queries, before as u64);
                visit.stock.release(std::mem::take(&mut self.input));
                self.resumable = false;
                self.ending = Some(TcpClose::Unanswered);
                range.start = range.end;
                return;
            };
            visit.answers.push(reply);
            visit.tally.add(TcpEvent::Answers, 1);
        }
        let count = (before - range.len()) as u64;
        visit.tally.add(TcpEvent::Queries, count);
    }

    /// Takes note that the queries of this vector are done with, all but those in `rest`: their
    /// client does not read, or there was enough to send without them. They are taken again, and no
    /// more at a time than were answered this time.
    pub fn give_back(&mut self, answered: usize, rest: &[u8], stock: &mut Stock) {
        if rest.is_empty() {
            if answered > 0 {
                self.share = self.share.saturating_mul(2);
            }
            return;
        }
        if answered > 0 {
            self.share = u16::try_from(answered).unwrap_or(u16::MAX);
        }
        let kept = stock.prepend(rest, &mut self.input);
        self.resumable = kept.is_ok();
        if kept.is_err() {
            stock.release(std::mem::take(&mut self.input));
            self.ending = Some(TcpClose::OutOfMemory);
        }
    }

    /// What is to be sent now: what was left over before, or this visit's answers.
    pub fn unsent<'a>(&'a self, answers: &'a Answers) -> &'a [u8] {
        if self.output.is_empty() {
            answers.bytes()
        } else {
            self.output.bytes()
        }
    }

    /// Takes note that the socket took the first `count` of the unsent bytes, and keeps the rest.
    pub fn sent(&mut self, count: usize, answers: &mut Answers, stock: &mut Stock) {
        if self.output.is_empty() {
            let rest = &answers.bytes()[count..];
            if !rest.is_empty() && stock.append(&mut self.output, rest).is_err() {
                self.broken = Some(TcpClose::OutOfMemory);
            }
            answers.clear();
        } else {
            self.output.consume(count);
            if self.output.is_empty() {
                stock.release(std::mem::take(&mut self.output));
            }
        }
    }

    /// Takes note that the socket failed.
    pub fn fail(&mut self, reason: TcpClose) {
        self.broken = Some(reason);
    }

    /// Says what the connection waits for, and since when, in `now_ms`'s terms.
    ///
    /// More bytes of the same partial query, or of the same blocked answers, do not set the time
    /// anew: a client cannot hold a connection by being slow.
    pub fn settle(&mut self, now_ms: u64) -> (Wait, u64) {
        let wait = if self.is_blocked() {
            Wait::Send
        } else if !self.queried {
            Wait::First
        } else if !self.input.is_empty() {
            // Torn, or whole ones that wait for their turn.
            Wait::Partial
        } else {
            Wait::Idle
        };
        if wait != self.wait || self.progressed && wait != Wait::Send {
            self.wait = wait;
            self.since_ms = now_ms;
        }
        self.progressed = false;
        (self.wait, self.since_ms)
    }

    /// What to do next.
    pub fn next(&self) -> Next {
        if let Some(reason) = self.broken {
            Next::Close(reason)
        } else if self.is_blocked() {
            Next::Send
        } else if self.resumable {
            Next::Resume
        } else if let Some(reason) = self.ending {
            Next::Close(reason)
        } else if !self.input_ended {
            Next::Receive
        } else if self.is_torn() {
            Next::Close(TcpClose::PartialQuery)
        } else if !self.queried {
            Next::Close(TcpClose::NoQuery)
        } else {
            Next::Close(TcpClose::ByClient)
        }
    }

    /// Whether nothing of a query or an answer would be lost if it were closed.
    pub fn is_quiet(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }

    /// Whether there are answers that the socket did not take.
    pub fn is_blocked(&self) -> bool {
        !self.output.is_empty()
    }

    /// Whether there was a message without a reply.
    pub fn has_given_up(&self) -> bool {
        self.ending == Some(TcpClose::Unanswered)
    }

    /// Whether a client that has its end now would miss a part of its answers.
    pub fn is_cut_short(&self) -> bool {
        self.is_blocked() || self.broken.is_some()
    }

    /// Whether the socket has taken everything so far.
    pub fn is_flowing(&self) -> bool {
        self.broken.is_none() && !self.is_blocked()
    }

    /// Gives its memory back; to be called before it is dropped.
    pub fn dismiss(self, stock: &mut Stock) {
        stock.release(self.input);
        stock.release(self.output);
    }

    fn is_torn(&self) -> bool {
        !self.input.is_empty() && !self.resumable
    }

    fn note(&mut self, taken: &Taken) {
        self.queried |= taken.has_queries;
        self.progressed |= taken.has_queries;
        self.resumable = taken.whole_left;
        self.ending = self.ending.or(taken.ending);
    }
}

/// What a visit took of some bytes.
#[derive(Default)]
struct Taken {
    /// Bytes of whole queries.
    len: usize,
    has_queries: bool,
    /// A whole query follows, for which there was no room.
    whole_left: bool,
    ending: Option<TcpClose>,
}

impl Visit<'_> {
    /// Whether another query may be taken.
    pub fn has_room(&self) -> bool {
        self.queries_left != 0 && !self.messages.is_full()
    }

    /// Takes the whole queries at the beginning of `bytes`, in order, while there is room.
    fn take(&mut self, peer: &Peer, bytes: &[u8]) -> Taken {
        let mut taken = Taken::default();
        while taken.ending.is_none() {
            match framing::first(&bytes[taken.len..], self.query_size_max) {
                Frame::TooLarge => taken.ending = Some(TcpClose::TooLarge),
                Frame::Whole(query)
                    if self.queries_left != 0 && self.messages.push(peer, query) =>
                {
                    self.queries_left -= 1;
                    taken.has_queries = true;
                    taken.len += framing::PREFIX_LEN + query.len();
                }
                Frame::Whole(_) => {
                    taken.whole_left = true;
                    break;
                }
                Frame::Torn => break,
            }
        }
        taken
    }
}
