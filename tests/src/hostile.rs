//! Messages and frames that mean no good: valid ones damaged, headers that lie, and noise.

use crate::answers::{TIME_S, policy};
use crate::ask::{Ask, AskEdns};
use crate::exchange::Family;
use crate::name::Name;
use crate::packets::Packet;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fmt;

/// Names of `tests/fixtures/world`, near them, and far from them.
const NAMES: [&str; 54] = [
    "version.bind.",
    "ID.server.",
    ".",
    "example.",
    "WWW.Example.",
    "mixed.case.example.",
    "nothing.example.",
    "alias.example.",
    "chain1.example.",
    "loop1.example.",
    "self.example.",
    "outside.example.",
    "across.example.",
    "dangling.example.",
    "into.example.",
    "tolarge.example.",
    "tobig.example.",
    "long1.example.",
    "x.dname.example.",
    "deep.y.dname.example.",
    "todname.example.",
    "dname.example.",
    "grow.example.",
    "any.wild.example.",
    "a.b.wild.example.",
    "*.wild.example.",
    "any.alias.wild.example.",
    "x.self.wild.example.",
    "below.example.",
    "*.below.example.",
    "ent.example.",
    "sub.example.",
    "host.sub.example.",
    "deep.sub.example.",
    "child.example.",
    "back.child.example.",
    "any.child.example.",
    "wide.example.",
    "_sip._tcp.example.",
    "many.large.test.",
    "far.large.test.",
    "text.large.test.",
    "elsewhere.test.",
    "nope.nsec.test.",
    "x.y.nope.nsec3.test.",
    "a.wild.nsec.test.",
    "b.A.wild.nsec3.test.",
    "a.cx.nsec.test.",
    "a.cy.nsec3.test.",
    "a.moved.optout.test.",
    "a.insecure.optout.test.",
    "secure.nsec.test.",
    "y.left.optout.test.",
    "z.left.optout.test.",
];

/// Bytes that are shown on one line.
#[derive(Clone)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Queries that are well-formed, of every kind.
pub fn asks() -> impl Strategy<Value = Ask> {
    let types = vec![
        1, 2, 5, 6, 15, 16, 28, 33, 39, 43, 46, 47, 251, 252, 255, 0, 41, 65280,
    ];
    let edns = (
        select(vec![0, 511, 512, 1231, 1232, 1233, 4096, 65535]),
        prop_oneof![9 => Just(0), 1 => any::<u8>()],
        any::<bool>(),
        prop_oneof![3 => Just(Vec::new()), 1 => options()],
    );
    let edns = edns.prop_map(|(size, version, dnssec_ok, options)| AskEdns {
        size,
        version,
        dnssec_ok,
        options,
    });
    let class = prop_oneof![9 => Just(1), 1 => select(vec![0, 3, 3, 4, 254, 255])];
    let opcode = prop_oneof![9 => Just(0u8), 1 => 0..16u8];
    let header = (any::<u16>(), any::<bool>(), any::<bool>(), opcode);
    (
        name(),
        select(types),
        class,
        header,
        proptest::option::of(edns),
    )
        .prop_map(|(name, qtype, qclass, (id, rd, cd, opcode), edns)| Ask {
            id,
            name,
            qtype,
            qclass,
            opcode,
            rd,
            cd,
            edns,
        })
}

/// A name of the world, sometimes with labels in front.
fn name() -> impl Strategy<Value = Name> {
    let front = prop_oneof![
        6 => Just(Vec::new()),
        1 => vec(vec(any::<u8>(), 1..63), 1..4),
        1 => (1..127usize).prop_map(|count| vec![b"a".to_vec(); count]),
    ];
    (select(&NAMES[..]), front).prop_map(|(name, front)| {
        let name = Name::parse(name);
        let labels = front.into_iter().chain(name.labels().to_vec());
        Some(Name::of(labels))
            .filter(Name::is_legal)
            .unwrap_or(name)
    })
}

/// EDNS options that are whole.
fn options() -> impl Strategy<Value = Vec<u8>> {
    let any_option = (any::<u16>(), vec(any::<u8>(), 0..20));
    // NSID, subnet, cookie, keepalive, padding.
    let damaged = (select(vec![3, 8, 10, 11, 12]), vec(any::<u8>(), 0..42));
    let subnet = (any::<bool>(), 0..=128u8).prop_map(|(is_v6, bits)| {
        let bits = if is_v6 { bits } else { bits % 33 };
        let address = vec![0; usize::from(bits.div_ceil(8))];
        (
            8,
            [&[0, 1 + u8::from(is_v6), bits, 0], &address[..]].concat(),
        )
    });
    let option = prop_oneof![
        2 => any_option,
        1 => damaged,
        1 => Just((3, Vec::new())),
        1 => Just((11, Vec::new())),
        1 => subnet,
        1 => vec(any::<u8>(), 8).prop_map(|client| (10, client)),
        1 => select(vec![Family::V4, Family::V6]).prop_map(|family| (10, cookie(family))),
    ];
    let option = option.prop_map(|(code, data): (u16, Vec<u8>)| {
        let len = u16::try_from(data.len()).expect("short");
        [&code.to_be_bytes()[..], &len.to_be_bytes(), &data].concat()
    });
    vec(option, 0..4).prop_map(|options| options.concat())
}

/// A cookie that is right for the client of this family, under the policy of the tests.
fn cookie(family: Family) -> Vec<u8> {
    let cookies = policy().cookies.expect("there are cookies");
    let client = family.ends()[0].ip();
    cookies.make(b"hostile!", client, TIME_S).to_vec()
}

/// Messages: whole, damaged, with headers that lie, or noise.
pub fn messages() -> impl Strategy<Value = Bytes> {
    let counts = [0u16, 1, 2, 255, 65535];
    let counts = vec(select(counts.to_vec()), 4);
    let lying = (asks(), counts, tail()).prop_map(|(ask, counts, tail)| {
        let mut message = ask.message();
        for (field, count) in counts.iter().enumerate() {
            message[4 + 2 * field..][..2].copy_from_slice(&count.to_be_bytes());
        }
        [message, tail].concat()
    });
    let damaged = (asks(), damages()).prop_map(|(ask, damages)| damaged(ask.message(), &damages));
    let named = (any::<[u8; 12]>(), tail()).prop_map(|(mut header, tail)| {
        header[2] &= 0x01;
        header[4..6].copy_from_slice(&[0, 1]);
        [header.to_vec(), tail].concat()
    });
    // With an empty TSIG record.
    let signed = asks().prop_map(|ask| {
        let mut message = ask.message();
        message[11] += 1;
        [&message[..], b"\0\0\xfa\0\xff\0\0\0\0\0\0"].concat()
    });
    let any = prop_oneof![
        4 => asks().prop_map(|ask| ask.message()),
        1 => signed,
        4 => damaged,
        2 => lying,
        2 => named,
        1 => vec(any::<u8>(), 0..600),
    ];
    any.prop_map(Bytes)
}

/// What may follow a header or a question: names that end nowhere, point at themselves or have
/// labels too long, and records of all sorts.
fn tail() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\xc0\x0c",
        b"\xc0\x00",
        b"\xff\xff",
        b"\x40",
        b"\x80",
        b"\x3f",
        b"\0",
        b"\x01a",
        b"\x03www\x07example\0",
        b"\0\x01\0\x01",
        b"\0\0\x29\x10\0\0\0\x80\0\0\0",
        b"\0\0\x29\0\0\0\x01\0\0\0\x04\0\x0a\0\0",
        b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04",
        b"\0\0\x06\0\x01\0\0\0\0\xff\xff",
    ];
    let labels = (0..64usize, 1..6usize).prop_map(|(len, count)| {
        let label = [&[u8::try_from(len).expect("short")][..], &vec![b'l'; len]].concat();
        label.repeat(count)
    });
    let piece = prop_oneof![
        4 => select(pieces).prop_map(<[u8]>::to_vec),
        1 => labels,
        1 => vec(any::<u8>(), 0..16),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let odd = select(vec![0, 1, 12, 0x29, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]);
    let damage = prop_oneof![
        (any::<Index>(), odd).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ];
    vec(damage, 0..4)
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Set(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Damage::Flip(at, bit) => *at.get_mut(&mut bytes) ^= 1 << bit,
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
        }
    }
    bytes
}

/// Frames with such messages in all kinds of headers, some of them damaged too; and noise.
pub fn frames() -> impl Strategy<Value = Bytes> {
    // The headers end before byte 70.
    let hurt = (dressed(), damages()).prop_map(|(frame, damages)| {
        let (head, rest) = frame.split_at(frame.len().min(70));
        [damaged(head.to_vec(), &damages), rest.to_vec()].concat()
    });
    let any = prop_oneof![4 => dressed(), 4 => hurt, 1 => vec(any::<u8>(), 0..200)];
    any.prop_map(Bytes)
}

/// Frames with sound headers.
fn dressed() -> impl Strategy<Value = Vec<u8>> {
    let family = prop_oneof![Just(Family::V4), Just(Family::V6)];
    let port = prop_oneof![9 => 1..=u16::MAX, 1 => Just(0)];
    let headers = (
        family,
        port,
        vec(any::<u16>(), 0..3),
        vec(any::<u8>(), 0..=40),
    );
    (messages(), headers).prop_map(|(Bytes(message), (family, port, tags, options))| {
        let [mut client, server] = family.ends();
        client.set_port(port);
        let mut packet = Packet::udp(client, server, &message);
        if family == Family::V4 && options.len() % 3 == 0 {
            packet = packet.ipv4_options(&options);
        }
        let packet = tags.iter().fold(packet, |packet, &tag| packet.vlan(tag));
        packet.frame()
    })
}
