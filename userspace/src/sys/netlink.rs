//! Routing as the kernel knows it: asked for, and told of (rtnetlink(7)).

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily as SocketFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind,
    recv, send, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// More bytes than the kernel sends at once (net/netlink/af_netlink.c, `netlink_dump`).
const BUFFER_LEN: usize = 64 << 10;
/// The kernel answers at once; nobody waits for ever.
const PATIENCE_S: i64 = 5;

/// Questions that have lists for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Interfaces.
    Links,
    /// Who is on their links.
    Neighbours,
    /// Routes of all tables.
    Routes,
    /// Rules.
    Rules,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Links, Self::Neighbours, Self::Routes, Self::Rules];

    /// What may be otherwise when the kernel has told this.
    pub fn changed_by(message: &Message) -> &'static [Self] {
        match message {
            // With an interface IPv4 routes come and go of which nothing else is told.
            Message::NewLink(_) | Message::DelLink(_) => &Self::ALL,
            Message::NewNeighbour(_) | Message::DelNeighbour(_) => &[Self::Neighbours],
            Message::NewRoute(_) | Message::DelRoute(_) => &[Self::Routes],
            Message::NewRule(_) | Message::DelRule(_) => &[Self::Rules],
            _ => &[],
        }
    }
}

/// Asks the kernel.
#[derive(Debug)]
pub struct Asker {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Asker {
    /// Asks of the calling thread's network namespace, whoever asks later.
    pub fn new() -> io::Result<Self> {
        let socket = open(SockFlag::empty(), 0)?;
        setsockopt(
            &socket,
            sockopt::ReceiveTimeout,
            &TimeVal::seconds(PATIENCE_S),
        )?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER_LEN],
        })
    }

    /// All there are. None: they changed meanwhile, so it has to be asked again.
    pub fn list(&mut self, list: List) -> io::Result<Option<Vec<Message>>> {
        // Whatever is left unset asks for those of every family.
        let question = match list {
            List::Links => Message::GetLink(LinkMessage::default()),
            List::Neighbours => Message::GetNeighbour(NeighbourMessage::default()),
            List::Routes => Message::GetRoute(RouteMessage::default()),
            List::Rules => Message::GetRule(RuleMessage::default()),
        };
        self.ask(question, NLM_F_DUMP)?;
        let (mut answer, mut is_whole) = (Vec::new(), true);
        loop {
            let len = recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty())?;
            for read in messages(&self.buffer[..len]) {
                is_whole &= read.header.flags & NLM_F_DUMP_INTR == 0;
                match read.payload {
                    NetlinkPayload::InnerMessage(message) => answer.push(message),
                    NetlinkPayload::Done(_) => return Ok(is_whole.then_some(answer)),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    _ => {}
                }
            }
        }
    }

    /// Has the kernel find out, or make sure of, a neighbour's Ethernet address, unless that is set
    /// for ever.
    pub fn resolve(&mut self, link: u32, address: IpAddr) -> io::Result<()> {
        let mut message = NeighbourMessage::default();
        message.header.ifindex = link;
        let (family, attribute) = match address {
            IpAddr::V4(address) => (AddressFamily::Inet, NeighbourAddress::Inet(address)),
            IpAddr::V6(address) => (AddressFamily::Inet6, NeighbourAddress::Inet6(address)),
        };
        message.header.family = family;
        message.attributes = vec![NeighbourAttribute::Destination(attribute)];
        self.ask(Message::GetNeighbour(message.clone()), 0)?;
        let flags = match self.reply() {
            // To be used is the end of such an entry (net/core/neighbour.c, `__neigh_update`).
            Ok(Some(Message::NewNeighbour(known))) if is_fixed(known.header.state) => return Ok(()),
            Ok(_) => NLM_F_ACK,
            Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => {
                NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
            }
            Err(error) => return Err(error),
        };
        // As if a packet were sent to it (`neigh_add`).
        message.header.flags = NeighbourFlags::Use;
        self.ask(Message::NewNeighbour(message), flags)?;
        self.reply().map(|_| ())
    }

    /// The answer to a question that has one; none: the kernel did what it was asked for.
    fn reply(&mut self) -> io::Result<Option<Message>> {
        let len = recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty())?;
        match messages(&self.buffer[..len])
            .next()
            .map(|read| read.payload)
        {
            Some(NetlinkPayload::InnerMessage(message)) => Ok(Some(message)),
            Some(NetlinkPayload::Error(error)) if error.code.is_some() => Err(error.to_io()),
            _ => Ok(None),
        }
    }

    fn ask(&self, question: Message, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut question = NetlinkMessage::new(header, NetlinkPayload::from(question));
        question.finalize();
        let mut bytes = vec![0; question.buffer_len()];
        question.serialize(&mut bytes);
        send(self.socket.as_raw_fd(), &bytes, MsgFlags::empty())?;
        Ok(())
    }
}

/// Whether the kernel never asks for such a neighbour.
fn is_fixed(state: NeighbourState) -> bool {
    matches!(state, NeighbourState::Permanent | NeighbourState::Noarp)
}

/// Is told of every change.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// Groups of messages (include/uapi/linux/rtnetlink.h, `rtnetlink_groups`): links, neighbours, IPv4
/// routes and rules, IPv6 routes and rules, objects that routes name as their next hops.
const GROUPS: [u32; 7] = [1, 3, 7, 8, 11, 19, 32];

impl Listener {
    /// Is told of the calling thread's network namespace from now on.
    pub fn new() -> io::Result<Self> {
        let groups = GROUPS
            .iter()
            .fold(0, |groups, group| groups | 1 << (group - 1));
        Ok(Self {
            socket: open(SockFlag::SOCK_NONBLOCK, groups)?,
            buffer: vec![0; BUFFER_LEN],
        })
    }

    /// What was told since the last time. None: more than there was room for, so nobody knows.
    pub fn told(&mut self) -> io::Result<Option<Vec<Message>>> {
        let mut told = Vec::new();
        let mut is_whole = true;
        loop {
            match recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Ok(len) => {
                    told.extend(messages(&self.buffer[..len]).filter_map(
                        |read| match read.payload {
                            NetlinkPayload::InnerMessage(message) => Some(message),
                            _ => None,
                        },
                    ))
                }
                Err(Errno::ENOBUFS) => is_whole = false,
                Err(Errno::EAGAIN) => return Ok(is_whole.then_some(told)),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(flags: SockFlag, groups: u32) -> io::Result<OwnedFd> {
    let socket = socket(
        SocketFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | flags,
        SockProtocol::NetlinkRoute,
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}

/// The messages in what was received at once. What the crate cannot read, is left out: kernels say
/// new things.
fn messages(bytes: &[u8]) -> impl Iterator<Item = NetlinkMessage<Message>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            // Each says how long it is in its first word; the next begins at a multiple of four.
            let len = u32::from_ne_bytes(*rest.first_chunk()?);
            let len = usize::try_from(len).ok().filter(|len| *len >= 4)?;
            let message = rest.get(..len)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            match NetlinkMessage::deserialize(message) {
                Ok(message) => return Some(message),
                Err(error) => tracing::debug!(%error, "a message of the kernel about routing"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_lists_what_there_is() {
        let mut asker = Asker::new().unwrap();
        let links = asker.list(List::Links).unwrap().unwrap();
        let loopback = |message: &Message| match message {
            Message::NewLink(link) => link.header.index == 1,
            _ => false,
        };
        assert!(links.iter().any(loopback), "{links:?}");
        // Every namespace has the rules for the tables local, main and default.
        let rules = asker.list(List::Rules).unwrap().unwrap();
        assert!(rules.iter().all(|rule| matches!(rule, Message::NewRule(_))));
        assert!(rules.len() >= 3, "{rules:?}");
    }

    #[test]
    fn who_is_told_nothing_does_not_wait() {
        let mut listener = Listener::new().unwrap();
        assert!(listener.told().unwrap().is_some());
    }

    /// Looking for them would undo what an operator has set.
    #[test]
    fn what_is_fixed_is_left_alone() {
        assert!(is_fixed(NeighbourState::Permanent) && is_fixed(NeighbourState::Noarp));
        assert!(!is_fixed(NeighbourState::Stale) && !is_fixed(NeighbourState::Failed));
    }

    #[test]
    fn what_cannot_be_resolved_is_an_error() {
        let error = Asker::new()
            .unwrap()
            .resolve(u32::MAX >> 1, "192.0.2.1".parse().unwrap());
        assert!(error.is_err());
    }

    #[test]
    fn bytes_that_are_no_messages_are_none() {
        assert_eq!(messages(&[]).count(), 0);
        assert_eq!(messages(&[3, 0, 0, 0, 9]).count(), 0);
        assert_eq!(messages(&[16, 0, 0, 0, 9]).count(), 0);
    }
}
