//! Frames of one kind of query, and what their replies must be.

use super::worlds::World;
use ripples::packet::cookie::CLIENT_COOKIE_LEN;
use ripples::snapshot::Snapshot;
use tests::answers::TIME_S;
use tests::ask::{Ask, AskEdns};
use tests::exchange::{Datagram, Exchange, Family};
use tests::name::Name;
use tests::packets::Packet;
use tests::record::rtype;

/// The option's code (RFC 7873 §4).
const COOKIE: u16 = 10;
const CLIENT_COOKIE: [u8; CLIENT_COOKIE_LEN] = [9, 8, 7, 6, 5, 4, 3, 2];
/// Replies that are looked at before anything is measured.
const CHECKED: usize = 64;

/// What a query has beside its question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Nothing.
    None,
    /// An OPT record in half of the queries.
    EdnsInHalf,
    /// DO.
    DnssecOk,
    /// A client cookie.
    ClientCookie,
    /// A client cookie and the server's own.
    ServerCookie,
    /// Nothing; it comes from anywhere.
    Anywhere,
}

/// What the reply to every query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Records that answer.
    Answer,
    /// The name does not exist.
    NoName,
    /// The name servers of a zone below.
    Referral,
}

/// The frame of a query for the addresses of `name`; `coins` were tossed for it.
pub(crate) fn frame(name: &str, extra: Extra, family: Family, world: World, coins: u64) -> Vec<u8> {
    let is_odd = coins & 1 == 1;
    let [mut client, server] = family.ends();
    let ask = Ask::new(Name::parse(name), rtype::A);
    let ask = match extra {
        Extra::None => ask,
        Extra::Anywhere => {
            let [.., a, b, c, d] = coins.to_be_bytes();
            // Others are no sources that a query may have.
            client.set_ip([a % 126 + 1, b, c, d].into());
            ask
        }
        Extra::EdnsInHalf if is_odd => ask.edns(1232),
        Extra::EdnsInHalf => ask,
        Extra::DnssecOk => Ask {
            edns: Some(AskEdns {
                size: 1232,
                dnssec_ok: true,
                ..AskEdns::default()
            }),
            ..ask
        },
        Extra::ClientCookie => ask.option(COOKIE, &CLIENT_COOKIE),
        Extra::ServerCookie => {
            let cookies = world.cookies().expect("secrets");
            let made = cookies.make(&CLIENT_COOKIE, client.ip(), TIME_S);
            ask.option(COOKIE, &made)
        }
    };
    Packet::udp(client, server, &ask.message()).frame()
}

/// Has the first queries answered: what is fast and wrong is not measured.
///
/// # Panics
/// Where a reply is missing or not what is expected.
pub(crate) fn check(case: &str, frames: &[Vec<u8>], snapshot: &Snapshot, expected: Expected) {
    let asked = &frames[..CHECKED.min(frames.len())];
    let replies = Exchange::default().frames(asked.iter().map(Vec::as_slice), snapshot);
    assert_eq!(replies.len(), asked.len(), "{case}: a reply to every query");
    for reply in replies {
        let reply = Datagram::read(&reply).unwrap_or_else(|error| panic!("{case}: {error}"));
        let (flags, answers) = (reply.payload[3], &reply.payload[6..8]);
        let found = match (flags & 15, answers != [0, 0]) {
            (0, true) => Expected::Answer,
            (0, false) => Expected::Referral,
            (3, false) => Expected::NoName,
            (rcode, _) => panic!("{case}: response code {rcode}"),
        };
        assert_eq!(found, expected, "{case}");
    }
}
