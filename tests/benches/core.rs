//! The real turn over memory: nanoseconds per packet, beside a turn that only sends frames back.
//!
//! `cargo bench -p tests --bench core` prints one JSON object a line.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use ripples::packet::NameKey;
use ripples::port::{MemPort, Port, Vector};
use ripples::snapshot::{Policy, Snapshot};
use ripples::telemetry::Tally;
use ripples::vectorloop::Turn;
use ripples::zone::compile::compile;
use ripples::zone::records::ZoneRecords;
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tests::packets::{Packet, query};

/// Frames of the port; queries beyond are drawn anew from as many templates.
const FRAMES: usize = 1024;
/// Templates of a case with many names: more than any cache holds of their index.
const TEMPLATES: usize = 1 << 16;
/// How long one measurement lasts, and how many there are of each case.
const TIME: Duration = Duration::from_millis(300);
const ROUNDS: usize = 7;

fn main() {
    for names in [1_000, 1_000_000] {
        let snapshot = snapshot(names);
        let label = if names == 1_000 { "1k" } else { "1M" };
        if names == 1_000 {
            case("hot", &snapshot, 64, |_| host(7));
        }
        case(&format!("{label} uniform"), &snapshot, 64, |i| {
            host(spread(i) % names)
        });
        case(&format!("{label} nxdomain"), &snapshot, 64, |i| {
            format!("x{}.example.com", spread(i))
        });
        for vector in [1, 8, 32, 256] {
            case(&format!("{label} uniform"), &snapshot, vector, |i| {
                host(spread(i) % names)
            });
        }
    }
}

/// Measures one case and prints it.
fn case(name: &str, snapshot: &Snapshot, vector: usize, qname: impl Fn(u64) -> String) {
    let client = "198.51.100.7:40000".parse().expect("address");
    let server = "192.0.2.1:53".parse().expect("address");
    let count = if name == "hot" { 64 } else { TEMPLATES as u64 };
    let frames: Vec<Vec<u8>> = (0..count)
        .map(|i| Packet::udp(client, server, &query(7, &qname(i), 1)).frame())
        .collect();
    let port = || MemPort::ethernet(FRAMES, 2048).replaying(frames.iter().map(Vec::as_slice));
    let mut tally = Tally::default();
    let mut turn = Turn::new(vector);
    let mut answering = port();
    let ns = median(|| turn.run(&mut answering, snapshot, 0, &mut tally));
    let mut reflecting = port();
    let mut held = Vector::new();
    let floor = median(|| {
        reflecting.receive(&mut held, vector);
        let count = held.len();
        reflecting.transmit(black_box(&mut held));
        count
    });
    let mut line = String::new();
    let _ = write!(
        line,
        "{{\"case\":\"{name}\",\"vector\":{vector},\"ns_per_packet\":{ns:.1},"
    );
    let _ = write!(
        line,
        "\"floor_ns\":{floor:.1},\"instructions_per_packet\":null}}"
    );
    println!("{line}");
}

/// Median over the rounds of nanoseconds per packet; `turn` says how many packets it took.
fn median(mut turn: impl FnMut() -> usize) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, mut packets) = (Instant::now(), 0);
            while start.elapsed() < TIME {
                for _ in 0..64 {
                    packets += turn();
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / packets as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// A zone of `names` hosts with one or two addresses each.
fn snapshot(names: u64) -> Snapshot {
    let mut text =
        String::from("$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n");
    for i in 0..names {
        let [.., b, c, d] = i.to_be_bytes();
        let _ = writeln!(text, "{}. A 10.{b}.{c}.{d}", host(i));
        if i % 5 < 2 {
            let _ = writeln!(text, "{}. A 11.{b}.{c}.{d}", host(i));
        }
    }
    let origin = b"\x07example\x03com\0";
    let parsed = ZoneRecords::parse(text.as_bytes(), "bench.zone", origin);
    let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
    let image = compile(&records).unwrap_or_else(|error| panic!("{error}"));
    eprintln!(
        "{names} names: {} bytes of image each",
        image.bytes().len() as u64 / names
    );
    let key = NameKey::new([1, 2, 3]);
    let snapshot = Snapshot::new(1, vec![image], Policy::default(), key).expect("snapshot");
    eprintln!(
        "{names} names: {} bytes with the index",
        snapshot.size_bytes() as u64 / names
    );
    snapshot
}

/// A name of 29 bytes on the wire.
fn host(i: u64) -> String {
    format!("host-{i:010}.example.com")
}

/// Stirs a counter into something that no prefetcher guesses (splitmix64).
fn spread(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
