//! What a load asks, and whether the replies are right.

use crate::client::query;
use crate::record::rtype;
use crate::tcp::framed;
use crate::wire::expected::{Expected, judge};
use crate::wire::worlds::Size;

/// Zones that are asked: small enough that the zone's size is not what is measured.
pub const SIZE: Size = Size::Small;
/// Of two names that are asked one after the other, this far apart in the zone; a prime.
const STRIDE: usize = 617;
/// Length of a message's length.
pub const PREFIX_LEN: usize = 2;
/// Bytes of a header (RFC 1035 §4.1.1).
const HEADER_LEN: usize = 12;

/// Who replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// A server: the zone's data.
    Answers,
    /// An echo: the query with something behind it.
    Echo,
}

/// Queries of one length, each for another name.
pub struct Questions {
    /// Each with its length in front, and the ID 0.
    framed: Vec<Vec<u8>>,
    expects: Expects,
    next: usize,
}

impl Questions {
    /// Queries for every name of the zone.
    pub fn new(expects: Expects) -> Self {
        let asked = |number| framed(&plain(&SIZE.host(number).0));
        Self {
            framed: (0..SIZE.hosts()).map(asked).collect(),
            expects,
            next: 0,
        }
    }

    /// Length of every query, without its own length field.
    pub fn query_len(&self) -> usize {
        self.framed[0].len() - PREFIX_LEN
    }

    /// Which name to ask for next, by its number.
    pub fn choose(&mut self) -> u16 {
        self.next = (self.next + STRIDE) % self.framed.len();
        u16::try_from(self.next).expect("a thousand names")
    }

    /// A query with this ID and its length in front.
    pub fn write(&self, number: u16, id: u16, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.framed[usize::from(number)]);
        out[start + PREFIX_LEN..start + PREFIX_LEN + 2].copy_from_slice(&id.to_be_bytes());
    }

    /// Whether the reply's header can be that of the right one.
    pub fn is_plausible(&self, reply: &[u8]) -> bool {
        let Some(header) = reply.get(..HEADER_LEN) else {
            return false;
        };
        match self.expects {
            // QR is set, RCODE is 0, one question, one answer.
            Expects::Answers => {
                header[2] & 0x80 != 0 && header[3] & 15 == 0 && header[4..8] == [0, 1, 0, 1]
            }
            Expects::Echo => reply.len() >= self.query_len(),
        }
    }

    /// Holds a whole reply against what the zone has.
    pub fn judge(&self, number: u16, reply: &[u8]) -> Result<(), String> {
        let query = &self.framed[usize::from(number)][PREFIX_LEN..];
        let (name, address) = SIZE.host(number.into());
        match self.expects {
            Expects::Answers => judge(query, reply, &name, &Expected::Address(address)),
            Expects::Echo => {
                let same = reply.get(2..query.len()) == Some(&query[2..]);
                let wrong = || "not the query itself".to_owned();
                same.then_some(()).ok_or_else(wrong)
            }
        }
    }
}

/// The query for a name's address, with the ID 0.
pub fn plain(name: &str) -> Vec<u8> {
    let mut query = query(name, rtype::A);
    query[..2].fill(0);
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_asked_for_before_one_is_asked_for_again() {
        let mut questions = Questions::new(Expects::Answers);
        let mut asked: Vec<u16> = (0..SIZE.hosts()).map(|_| questions.choose()).collect();
        asked.sort_unstable();
        assert!(asked.into_iter().eq(0..1000));
    }

    #[test]
    fn only_a_reply_with_the_zones_address_is_right() {
        let questions = Questions::new(Expects::Answers);
        let (name, address) = SIZE.host(7);
        let mut reply = plain(&name);
        assert!(!questions.is_plausible(&reply), "a query");
        reply[2] |= 0x84;
        reply[7] = 1;
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4]);
        reply.extend(address.octets());
        assert!(questions.is_plausible(&reply));
        assert_eq!(questions.judge(7, &reply), Ok(()));
        assert!(questions.judge(8, &reply).is_err(), "of another name");
        reply[3] |= 2;
        assert!(!questions.is_plausible(&reply), "SERVFAIL");
        assert!(!questions.is_plausible(&reply[..11]));
    }

    #[test]
    fn an_echo_begins_with_the_query() {
        let questions = Questions::new(Expects::Echo);
        let mut written = Vec::new();
        questions.write(3, 0xabcd, &mut written);
        assert_eq!(&written[2..4], &[0xab, 0xcd]);
        let mut reply = written.split_off(2);
        assert!(questions.is_plausible(&reply));
        assert_eq!(questions.judge(3, &reply), Ok(()));
        assert!(questions.judge(4, &reply).is_err());
        reply.pop();
        assert!(!questions.is_plausible(&reply));
        assert!(questions.judge(3, &reply).is_err());
    }
}
