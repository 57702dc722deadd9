//! Saved images as bytes, sound and hostile ones, and questions that touch all of them.

use crate::answers::reply;
use crate::ask::{Ask, AskEdns};
use crate::exchange::Exchange;
use crate::name::Name;
use crate::packets::Packet;
use crate::record::rtype;
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::image::{Flaw, ZoneImage, seal, write};
use ripples::zone::saved::read;

/// What the key of the hashes is made from.
pub const SEED: [u64; 3] = [11, 22, 33];

/// Offset of the second of two bytes that make a word.
const WORD_LEN: usize = 2;

/// An image as the bytes of a file.
pub fn saved(image: &ZoneImage) -> Vec<u8> {
    let mut file = Vec::new();
    write(image, SEED, &[], &mut file).expect("memory");
    file
}

/// A snapshot of one image under another key than its own.
pub fn snapshot(image: ZoneImage) -> Snapshot {
    let key = NameKey::new([1, 2, 3]);
    Snapshot::new(1, vec![image.into()], Policy::default(), key).expect("one zone")
}

/// Reads a file whose byte at `at` somebody has changed by `delta`, and who knows how to set right
/// the sums of all files and records: so that what they do not see is seen.
pub fn read_mended(file: &mut [u8], at: usize, delta: i32) -> Result<ZoneImage, Flaw> {
    let mut tried = Vec::new();
    loop {
        seal(file);
        let flaw = match read(file) {
            Err(flaw) if flaw.what.contains("another sum") => flaw,
            outcome => return outcome,
        };
        // The byte is the low or the high one of a word of the sum.
        let unit = match tried.iter().filter(|place| **place == flaw.at).count() {
            0 => 1,
            1 => 256,
            _ => return Err(flaw),
        };
        tried.push(flaw.at);
        if (flaw.at..flaw.at + WORD_LEN).contains(&at) {
            return Err(flaw);
        }
        let word = |file: &[u8]| u16::from_le_bytes([file[flaw.at], file[flaw.at + 1]]);
        // What was tried before is taken back.
        let before = if unit == 256 { -delta } else { 0 };
        let sum = (i32::from(word(file)) + before + delta * unit).rem_euclid(65_535);
        let sum = u16::try_from(sum).expect("below 65535");
        file[flaw.at..flaw.at + WORD_LEN].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Types with rules of their own, and one that nobody has.
const TYPES: [u16; 14] = [
    rtype::A,
    rtype::NS,
    rtype::CNAME,
    rtype::SOA,
    rtype::MX,
    rtype::TXT,
    rtype::SRV,
    rtype::DNAME,
    rtype::DS,
    rtype::RRSIG,
    rtype::NSEC,
    rtype::NSEC3,
    rtype::PRIVATE,
    rtype::ANY,
];

/// Questions for the zone's names, and for names below them, with and without DO.
pub fn questions(image: &ZoneImage) -> Vec<Vec<u8>> {
    let mut questions = Vec::new();
    for (_, node) in image.nodes() {
        let name = Name::of_wire(node.name());
        let below = name.child("x");
        for name in [below.child("y"), below, name] {
            if !name.is_legal() {
                continue;
            }
            for qtype in TYPES {
                let mut ask = Ask::new(name.clone(), qtype);
                questions.push(ask.message());
                ask.edns = Some(AskEdns {
                    size: 4096,
                    dnssec_ok: true,
                    ..AskEdns::default()
                });
                questions.push(ask.message());
            }
        }
    }
    questions
}

/// Asks all questions by UDP, TCP and in frames. There are replies, and no panics.
///
/// # Panics
/// Where there is no reply.
pub fn ask_all(image: ZoneImage, questions: &[Vec<u8>]) {
    let snapshot = snapshot(image);
    let mut exchange = Exchange::default();
    let [client, server] = crate::exchange::Family::V4.ends();
    for question in questions {
        for transport in [Transport::Udp, Transport::Tcp] {
            assert!(reply(&snapshot, question, transport).is_some());
        }
        let frame = Packet::udp(client, server, question).frame();
        assert_eq!(exchange.frames([&frame[..]], &snapshot).len(), 1);
    }
}
