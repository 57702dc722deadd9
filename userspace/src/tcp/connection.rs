//! One connection as a state machine: bytes and times in, bytes and the next step out.

use super::framing::{self, Frame};
use super::metrics::{TcpClose, TcpEvent, TcpTally};
use super::stock::OutOfStock;
use super::{Answers, Block, Peer, Respond, Stock};

/// What a connection waits for; each kind has its own timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first query, or the rest of a partial one.
    Query,
    /// A further query.
    Idle,
    /// Room in the socket for answers that its client does not read.
    Send,
}

impl Wait {
    /// Every kind, in the order of their indices.
    pub const ALL: [Self; 3] = [Self::Query, Self::Idle, Self::Send];
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

/// What a connection works with while it is visited. `answers` must be empty at the beginning.
#[derive(Debug)]
pub struct Visit<'a, R> {
    /// Queries that may still be answered in this visit.
    pub queries_left: u32,
    /// Longest query, in bytes.
    pub query_size_max: usize,
    /// Where answers are gathered.
    pub answers: &'a mut Answers,
    /// Where memory beyond this visit comes from.
    pub stock: &'a mut Stock,
    /// What is counted.
    pub tally: &'a mut TcpTally,
    /// Who answers.
    pub respond: &'a mut R,
}

/// A connection, from accept to close.
///
/// A visit is: any number of `receive`, `receive_end` and `resume` while the visit
/// [has room](Visit::has_room), then `unsent` and `sent`, then `settle` and `next`.
#[derive(Debug)]
pub struct Connection {
    peer: Peer,
    /// Received and not yet answered: a torn message, or whole ones beyond a visit's share.
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
            wait: Wait::Query,
            since_ms: now_ms,
            resumable: false,
            queried: false,
            progressed: false,
            input_ended: false,
            ending: None,
            broken: None,
        }
    }

    /// Takes bytes that the client sent: answers the whole queries in them, keeps the rest.
    pub fn receive<R: Respond>(&mut self, bytes: &[u8], visit: &mut Visit<'_, R>) {
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
        let taken = visit.answer(&self.peer, bytes);
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

    /// Answers whole queries that are held already.
    pub fn resume<R: Respond>(&mut self, visit: &mut Visit<'_, R>) {
        let taken = visit.answer(&self.peer, self.input.bytes());
        self.note(&taken);
        self.input.consume(taken.len);
        if self.input.is_empty() || self.ending.is_some() {
            visit.stock.release(std::mem::take(&mut self.input));
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
        } else if !self.queried || self.is_torn() {
            Wait::Query
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
        } else if let Some(reason) = self.ending {
            Next::Close(reason)
        } else if self.resumable {
            Next::Resume
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

    /// Gives its memory back; to be called before it is dropped.
    pub fn dismiss(self, stock: &mut Stock) {
        stock.release(self.input);
        stock.release(self.output);
    }

    fn is_torn(&self) -> bool {
        !self.input.is_empty() && !self.resumable
    }

    fn note(&mut self, taken: &Taken) {
        self.queried |= taken.queries != 0;
        self.progressed |= taken.queries != 0;
        self.resumable = taken.whole_left;
        self.ending = self.ending.or(taken.ending);
    }
}

/// What a visit took of some bytes.
#[derive(Default)]
struct Taken {
    /// Bytes of whole queries.
    len: usize,
    queries: u64,
    /// A whole query follows, for which there was no room.
    whole_left: bool,
    ending: Option<TcpClose>,
}

impl<R: Respond> Visit<'_, R> {
    /// Whether another query may be answered.
    pub fn has_room(&self) -> bool {
        self.queries_left != 0 && !self.answers.is_full()
    }

    /// Answers the whole queries at the beginning of `bytes`, in order, while there is room.
    fn answer(&mut self, peer: &Peer, bytes: &[u8]) -> Taken {
        let mut taken = Taken::default();
        let mut answered = 0;
        while taken.ending.is_none() {
            match framing::first(&bytes[taken.len..], self.query_size_max) {
                Frame::TooLarge => taken.ending = Some(TcpClose::TooLarge),
                Frame::Whole(query) if self.has_room() => {
                    self.queries_left -= 1;
                    taken.queries += 1;
                    taken.len += framing::PREFIX_LEN + query.len();
                    let reply = |buffer: &mut [u8], len| self.respond.respond(peer, buffer, len);
                    if self.answers.push(query, reply) {
                        answered += 1;
                    } else {
                        taken.ending = Some(TcpClose::Unanswered);
                    }
                }
                Frame::Whole(_) => {
                    taken.whole_left = true;
                    break;
                }
                Frame::Torn => break,
            }
        }
        self.tally.add(TcpEvent::Queries, taken.queries);
        self.tally.add(TcpEvent::Answers, answered);
        taken
    }
}
