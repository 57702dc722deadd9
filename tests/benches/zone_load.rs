//! How fast a zone is read from text and sorted, beside `domain`'s reader: `cargo bench -p tests --bench zone_load`.
#![expect(clippy::print_stdout, reason = "a benchmark shows its figures")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::zonefile::inplace::{Entry, Zonefile};
use ripples::name::{NameBuf, ROOT};
use ripples::zone::records::ZoneRecords;

/// How often each case runs; the quickest run counts.
const RUNS: usize = 7;

fn main() {
    let record_count = 1_000_000;
    let head =
        "$ORIGIN example.com.\n$TTL 3600\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\n";
    let (mut sorted, mut shuffled) = (head.to_owned(), head.to_owned());
    for index in 0..record_count {
        // A step that shares no divisor with the count visits every number once.
        let other = u32::try_from(u64::from(index) * 7_654_321 % 1_000_000).unwrap_or_default();
        for (text, number) in [(&mut sorted, index), (&mut shuffled, other)] {
            let [_, b, c, d] = u32::to_be_bytes(number);
            let _ = writeln!(text, "host{number:08}.example.com. 300 IN A 10.{b}.{c}.{d}");
        }
    }
    compare("A records, sorted", sorted.as_bytes(), "example.com.");
    compare("A records, shuffled", shuffled.as_bytes(), "example.com.");
    match root_zone() {
        Some(path) => compare(
            "root zone",
            &std::fs::read(path).expect("it is readable"),
            ".",
        ),
        None => println!("the root zone is not there: set RIPPLES_SHARED"),
    }
}

/// Measures our reader and `domain`'s on one text.
fn compare(what: &str, text: &[u8], origin: &str) {
    let origin = NameBuf::from_text(origin.as_bytes(), ROOT).expect("a name");
    let (mut record_count, mut memory_size, mut owner_count) = (0, 0, 0);
    let ours = quickest(|| {
        let (records, _) = ZoneRecords::parse(text, "bench", &origin).expect("a good zone");
        (record_count, owner_count) = (records.record_count(), records.owner_count());
        memory_size = records.memory_size();
    });
    let scanned = quickest(|| {
        black_box(domain_reader(text).count());
    });
    let kept = quickest(|| {
        black_box(domain_reader(text).collect::<Vec<_>>());
    });
    println!(
        "{what}: {record_count} records of {owner_count} owners, {} octets of text",
        text.len()
    );
    for (reader, took) in [
        ("ripples, sorted and kept", ours),
        ("domain, scanned", scanned),
        ("domain, kept", kept),
    ] {
        let rate =
            f64::from(u32::try_from(record_count).expect("a small zone")) / took.as_secs_f64();
        println!(
            "  {reader:26} {:8.1} ms {:6.2} M records/s",
            took.as_secs_f64() * 1e3,
            rate / 1e6
        );
    }
    println!("  ripples keeps {memory_size} octets");
}

fn domain_reader(text: &[u8]) -> impl Iterator<Item = Entry> {
    let mut reader = Zonefile::from(text);
    reader.set_default_class(domain::base::iana::Class::IN);
    reader.map(|entry| entry.expect("a good zone"))
}

/// The time of the quickest of several runs.
fn quickest(mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(time).min().unwrap_or_default()
}

/// Finds the root zone beside the repository or where the environment says.
fn root_zone() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("RIPPLES_SHARED").map_or(beside, PathBuf::from);
    Some(shared.join("data/root.zone")).filter(|path| path.exists())
}
