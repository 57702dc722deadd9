//! How next hops reach a port, and clients that nobody knows come back from it.

use super::{LinkIndex, NextHop, NextHops};
use crate::packet::headers::{Course, send_to};
use crate::snapshot::{InboxOf, MailboxOf, mailbox};
use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Clients that can wait for being looked for. Whoever has no place asks again, or is answered by
/// way of its sender for ever.
const STRANGERS_MAX: usize = 64;

/// A client on a link, of whom the Ethernet address is asked for.
type Stranger = (LinkIndex, IpAddr);

/// A port with `first` in its hands, and who tells it of others.
pub fn subscribe(first: Arc<NextHops>) -> (Publisher, Subscription) {
    let (mailbox, inbox) = mailbox(first);
    let (send, receive) = HeapRb::new(STRANGERS_MAX).split();
    let publisher = Publisher {
        mailbox,
        strangers: receive,
    };
    let subscription = Subscription {
        inbox,
        strangers: send,
    };
    (publisher, subscription)
}

/// The end of who knows.
pub struct Publisher {
    mailbox: MailboxOf<NextHops>,
    strangers: HeapCons<Stranger>,
}

impl Publisher {
    /// Tells the port; false while it has too many that it did not take yet.
    pub fn send(&mut self, next_hops: &Arc<NextHops>) -> bool {
        self.mailbox.send(Arc::clone(next_hops)).is_ok()
    }

    /// Frees what the port has given back.
    pub fn collect(&mut self) {
        self.mailbox.collect();
    }

    /// Whom the port has asked for since the last time.
    pub fn strangers(&mut self) -> impl Iterator<Item = Stranger> {
        self.strangers.pop_iter()
    }

    /// Whether the port is gone.
    pub fn is_abandoned(&self) -> bool {
        self.mailbox.is_abandoned()
    }
}

/// The port's end.
pub struct Subscription {
    inbox: InboxOf<NextHops>,
    strangers: HeapProd<Stranger>,
}

impl Subscription {
    /// Takes what has come. Never waits.
    pub fn take(&mut self) {
        self.inbox.take();
    }

    /// Addresses a sealed reply to its next hop, if that is known; else it goes back to its sender.
    /// `tag`: the VLAN whose tag it gets later, if it has none. Where the client itself is the next
    /// hop and nobody knows it, it is asked for.
    #[inline]
    pub fn direct(&mut self, frame: &mut [u8], tag: Option<u16>) -> NextHop {
        // In a VLAN within a VLAN there is no next hop that this host knows of.
        let Some(course) = Course::of(frame) else {
            return NextHop::Elsewhere;
        };
        let next_hop = self.inbox.current().find(course.from, course.to);
        match next_hop {
            NextHop::Neighbour { vlan, .. } if vlan != course.vlan.or(tag) => {
                return NextHop::Elsewhere;
            }
            NextHop::Neighbour { mac, .. } => send_to(frame, mac),
            NextHop::OnLink(link) => self.ask((link, course.to)),
            _ => {}
        }
        next_hop
    }

    /// Asks for a client's Ethernet address, if there is room for the question.
    fn ask(&mut self, stranger: Stranger) {
        // Asked again with its next query.
        let _ = self.strangers.try_push(stranger);
    }
}

/// A port's shows it.
impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_beyond_the_room_are_dropped_and_the_others_come_in_order() {
        let (mut publisher, mut subscription) = subscribe(Arc::default());
        let stranger = |number: usize| {
            let host = u8::try_from(number).unwrap();
            (7, IpAddr::from([192, 0, 2, host]))
        };
        (0..STRANGERS_MAX + 5).for_each(|number| subscription.ask(stranger(number)));
        let asked: Vec<_> = publisher.strangers().collect();
        assert_eq!(asked, (0..STRANGERS_MAX).map(stranger).collect::<Vec<_>>());
        assert_eq!(publisher.strangers().count(), 0);
        assert!(!publisher.is_abandoned());
        drop(subscription);
        assert!(publisher.is_abandoned());
    }
}
