//! The answering core without any port: zones from text, queries and replies as messages.

use crate::worlds::ZoneText;
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::telemetry::Tally;
use ripples::vectorloop::respond;
use ripples::zone::check::check;
use ripples::zone::compile::compile_beside;
use ripples::zone::error::Severity;
use ripples::zone::records::ZoneRecords;

/// Builds a snapshot of zones given as `(origin, master file)`.
///
/// # Panics
/// Where a zone has an error.
pub fn snapshot(zones: &[(&str, &str)]) -> Snapshot {
    let origins = zones.iter().map(|(origin, _)| {
        let mut origin = crate::zones::origin(origin);
        origin.make_lowercase();
        origin
    });
    let origins: Vec<_> = origins.collect();
    let apexes: Vec<&[u8]> = origins.iter().map(|origin| &origin[..]).collect();
    let images = zones.iter().zip(&origins).map(|((_, text), origin)| {
        let parsed = ZoneRecords::parse(text.as_bytes(), "test.zone", origin);
        let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
        compile_beside(&records, &apexes).unwrap_or_else(|error| panic!("{error}"))
    });
    let key = NameKey::new([0x5eed, 0xfeed, 0xbeef]);
    Snapshot::new(1, images.collect(), Policy::default(), key).expect("snapshot")
}

/// Builds a snapshot of one zone, if the checks find no error in it.
pub fn checked_snapshot(origin: &str, text: &str) -> Result<Snapshot, String> {
    let name = crate::zones::origin(origin);
    let parsed = ZoneRecords::parse(text.as_bytes(), "test.zone", &name);
    let (records, _) = parsed.map_err(|errors| format!("{errors:?}"))?;
    let problems = check(&records);
    let error = problems.iter().find(|it| it.severity == Severity::Error);
    match error {
        Some(error) => Err(error.to_string()),
        None => Ok(snapshot(&[(origin, text)])),
    }
}

/// Builds a snapshot of random zones.
///
/// # Panics
/// Where a zone has an error.
pub fn snapshot_of(zones: &[ZoneText]) -> Snapshot {
    let texts: Vec<_> = zones
        .iter()
        .map(|zone| (zone.origin.to_string(), zone.text()))
        .collect();
    let zones: Vec<_> = texts
        .iter()
        .map(|(origin, text)| (&origin[..], &text[..]))
        .collect();
    snapshot(&zones)
}

/// The reply to `query`, as bytes; `None` when there is none.
pub fn reply(snapshot: &Snapshot, query: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let mut buffer = query.to_vec();
    // Not zeroes: what the reply leaves unwritten shall show.
    buffer.resize(65_535, 0xaa);
    let tally = &mut Tally::default();
    let len = respond(&mut buffer, query.len(), transport, snapshot, tally).ok()?;
    buffer.truncate(len);
    Some(buffer)
}

/// The zones of `tests/fixtures/world`: small ones with one of everything that is special.
pub const WORLD: [(&str, &str); 3] = [
    ("example.", include_str!("../fixtures/world/example.zone")),
    (
        "child.example.",
        include_str!("../fixtures/world/child.zone"),
    ),
    ("large.test.", include_str!("../fixtures/world/large.zone")),
];

/// A snapshot of [`WORLD`].
pub fn world() -> Snapshot {
    snapshot(&WORLD)
}
