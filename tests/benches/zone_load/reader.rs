//! The reader alone, beside that of `domain`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use domain::zonefile::inplace::{Entry, Zonefile};
use nix::time::{ClockId, clock_gettime};
use ripples::name::{NameBuf, ROOT};
use ripples::zone::check::check;
use ripples::zone::records::ZoneRecords;

/// How often each case runs; the quickest run counts.
const RUNS: usize = 7;

/// Reads three zones with both.
pub(crate) fn compare_all() {
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

/// Measures our reader and `domain`'s on one text, in turns, so that both see the same machine.
fn compare(what: &str, text: &[u8], origin: &str) {
    let origin = NameBuf::from_text(origin.as_bytes(), ROOT).expect("a name");
    let mut records = None;
    let [mut read, mut checked, mut scanned, mut kept] = [Duration::MAX; 4];
    for _ in 0..RUNS {
        records = None;
        read = read.min(cpu_time(|| {
            let outcome = ZoneRecords::parse(text, "bench", &origin);
            records = Some(outcome.expect("a good zone").0);
        }));
        checked = checked.min(cpu_time(|| {
            black_box(records.as_ref().map(check));
        }));
        scanned = scanned.min(cpu_time(|| {
            black_box(domain_reader(text).count());
        }));
        kept = kept.min(cpu_time(|| {
            black_box(domain_reader(text).collect::<Vec<_>>());
        }));
    }
    let mut records = records.expect("there was a run");
    let count = records.record_count();
    println!(
        "{what}: {count} records of {} owners, {} octets of text",
        records.owner_count(),
        text.len()
    );
    for (reader, took) in [
        ("ripples, sorted and kept", read),
        ("ripples, checked as a zone", checked),
        ("domain, scanned", scanned),
        ("domain, kept", kept),
    ] {
        let per_record =
            took.as_secs_f64() / f64::from(u32::try_from(count).expect("a small zone"));
        println!(
            "  {reader:28} {:7.1} ns each {:6.2} M records/s",
            per_record * 1e9,
            1e-6 / per_record
        );
    }
    let with_lines = records.memory_size();
    records.forget_lines();
    println!(
        "  ripples keeps {with_lines} octets, {} without lines",
        records.memory_size()
    );
}

fn domain_reader(text: &[u8]) -> impl Iterator<Item = Entry> {
    let mut reader = Zonefile::from(text);
    reader.set_default_class(domain::base::iana::Class::IN);
    reader.map(|entry| entry.expect("a good zone"))
}

/// The time that this thread was given, which other programs disturb less than the time of day.
fn cpu_time(run: impl FnOnce()) -> Duration {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock"));
    let start = now();
    run();
    now() - start
}

/// Finds the root zone beside the repository or where the environment says.
pub(crate) fn root_zone() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("RIPPLES_SHARED").map_or(beside, PathBuf::from);
    Some(shared.join("data/root.zone")).filter(|path| path.exists())
}
