//! One message at a time through the vectorloop, without any port around it.

use ripples::packet::checksum::Sum;
use ripples::packet::reply::Transport;
use ripples::packet::{Arrival, Ends, Envelope};
use ripples::port::{Port, Told, Vector};
use ripples::snapshot::Snapshot;
use ripples::telemetry::{Discard, Tally};
use ripples::vectorloop::Turn;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

/// Working memory for vectors of one message.
pub struct Single(Turn<Token>);

impl Default for Single {
    fn default() -> Self {
        Self(Turn::new(1))
    }
}

impl Single {
    /// Answers a message in place: `buffer` begins with the query of `message_len` bytes and has
    /// room for the reply, whose length is returned; `None` when there is none.
    pub fn respond(
        &mut self,
        buffer: &mut [u8],
        message_len: usize,
        arrival: &Arrival,
        snapshot: &Snapshot,
        tally: &mut Tally,
    ) -> Option<usize> {
        match arrival.transport {
            Transport::Udp => self.run::<false>(buffer, message_len, arrival, snapshot, tally),
            Transport::Tcp => self.run::<true>(buffer, message_len, arrival, snapshot, tally),
        }
    }

    fn run<const TCP: bool>(
        &mut self,
        buffer: &mut [u8],
        message_len: usize,
        arrival: &Arrival,
        snapshot: &Snapshot,
        tally: &mut Tally,
    ) -> Option<usize> {
        let mut port = Message::<TCP> {
            buffer,
            len: message_len,
            client: arrival.client,
            is_waiting: true,
            is_answered: false,
        };
        self.0.run(&mut port, snapshot, arrival.time_s, tally);
        port.is_answered.then_some(port.len)
    }
}

/// The only frame.
pub struct Token;

/// A port with one message.
struct Message<'b, const TCP: bool> {
    buffer: &'b mut [u8],
    len: usize,
    client: IpAddr,
    is_waiting: bool,
    is_answered: bool,
}

impl<const TCP: bool> Port for Message<'_, TCP> {
    type Frame = Token;

    const TRANSPORT: Transport = if TCP { Transport::Tcp } else { Transport::Udp };

    fn receive(&mut self, into: &mut Vector<Token>, _: usize) {
        into.extend(std::mem::take(&mut self.is_waiting).then_some(Token));
    }

    fn open(&self, _: &Token) -> Result<Envelope, Discard> {
        Ok(Envelope {
            network_start: 0,
            message_start: 0,
            message_len: u16::try_from(self.len).expect("a message of at most 65,535 bytes"),
            is_ipv6: false,
        })
    }

    fn client(&self, _: &Token, _: &Envelope) -> IpAddr {
        self.client
    }

    fn bytes<'a>(&'a self, _: &'a Token) -> &'a [u8] {
        &self.buffer[..self.len]
    }

    fn room<'a>(&'a mut self, _: &'a mut Token) -> &'a mut [u8] {
        self.buffer
    }

    fn seal(&mut self, _: &mut Token, _: &Envelope, message_len: usize, _: Option<Sum>) {
        self.len = message_len;
    }

    fn told<'a>(&'a mut self, _: &'a mut Token, _: &Envelope) -> Told<'a> {
        let end = SocketAddr::new(self.client, 0);
        Told::Ends(Ends::new(end, end))
    }

    fn transmit(&mut self, replies: &mut Vector<Token>) {
        self.is_answered |= !replies.is_empty();
        replies.clear();
    }

    fn recycle(&mut self, _: Token) {}

    fn message_limit(&self, _: &Envelope) -> usize {
        self.buffer.len()
    }

    fn backlog(&self) -> bool {
        false
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn report(&mut self, _: &mut Tally) {}
}
