//! The answering core without any port: zones from text, queries and replies as messages.

use crate::exchange::{Exchange, Family};
use crate::invariants::check_reply;
use crate::single::Single;
use crate::worlds::ZoneText;
use crate::zones::SIGNED;
use ripples::geo::Geo;
use ripples::packet::cookie::{Cookies, Secret};
use ripples::packet::reply::Transport;
use ripples::packet::{Arrival, NameKey};
use ripples::snapshot::{Chaos, GuardLists, Guards, Policy, RateLimit, Snapshot};
use ripples::telemetry::Tally;
use ripples::zone::check::check;
use ripples::zone::error::Severity;
use ripples::zone::records::ZoneRecords;
use ripples::zone::served::ServedZone;
use std::sync::Arc;

/// The time of all exchanges, in seconds since 1970.
pub const TIME_S: u32 = 1_559_731_985;

/// A policy with something to say about everything: RFC 9018's secret makes the cookies.
pub fn policy() -> Policy {
    let secret = [
        0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf,
        0xcf,
    ];
    Policy {
        nsid: Box::from(*b"fra1"),
        cookies: Some(Cookies {
            secret: Secret(secret),
            others: Vec::new(),
            require: false,
        }),
        chaos: Chaos::new("Ripples", "ns1.example", "fra1"),
        ..Policy::default()
    }
}

/// The same, where cookies are required.
pub fn strict_policy() -> Policy {
    let mut policy = policy();
    if let Some(cookies) = &mut policy.cookies {
        cookies.require = true;
    }
    policy
}

/// The policy under which half of the Internet gets nothing, and the rest little.
///
/// # Panics
/// Never: the lists are short.
pub fn guarded_policy() -> Policy {
    let lists = GuardLists {
        deny: vec!["128.0.0.0/1".parse().expect("a network")],
        drop: true,
        rate: Some(RateLimit {
            per_second: 1,
            burst: 1,
            slip: 2,
            ipv4_prefix_len: 24,
            ipv6_prefix_len: 56,
            key: [3, 5],
        }),
        ..GuardLists::default()
    };
    Policy {
        guards: Guards::new(lists).expect("short lists").map(Arc::new),
        ..policy()
    }
}

/// A message from the client of the exchanges, at their time.
pub fn arrival(transport: Transport) -> Arrival {
    Arrival {
        client: Family::V4.ends()[0].ip(),
        transport,
        time_s: TIME_S,
    }
}

/// Builds a snapshot of zones given as `(origin, master file)`.
///
/// # Panics
/// Where a zone has an error.
pub fn snapshot(zones: &[(&str, &str)]) -> Snapshot {
    snapshot_with(zones, Policy::default())
}

/// The same under a policy and maps.
///
/// # Panics
/// Where a zone has an error, or speaks of regions that the maps have not.
pub fn snapshot_on(zones: &[(&str, &str)], policy: Policy, maps: &Arc<Geo>) -> Snapshot {
    let snapshot = snapshot_with(zones, policy);
    let problems: Vec<_> = snapshot
        .variants()
        .flat_map(|it| it.problems(maps))
        .collect();
    assert_eq!(problems, [""; 0]);
    snapshot.with_geo(Arc::clone(maps), None).expect("snapshot")
}

/// The same under a policy.
///
/// # Panics
/// Where a zone has an error.
pub fn snapshot_with(zones: &[(&str, &str)], policy: Policy) -> Snapshot {
    let origins = zones.iter().map(|(origin, _)| {
        let mut origin = crate::zones::origin(origin);
        origin.make_lowercase();
        origin
    });
    let origins: Vec<_> = origins.collect();
    let apexes: Vec<&[u8]> = origins.iter().map(|origin| &origin[..]).collect();
    let zones = zones.iter().zip(&origins).map(|((_, text), origin)| {
        let parsed = ZoneRecords::parse(text.as_bytes(), "test.zone", origin);
        let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
        let problems = check(&records);
        let is_sound = problems.iter().all(|it| it.severity != Severity::Error);
        assert!(is_sound || !text.contains("$VARIANT"), "{problems:?}");
        ServedZone::compile(&records, &apexes, &[]).unwrap_or_else(|error| panic!("{error}"))
    });
    let key = NameKey::new([0x5eed, 0xfeed, 0xbeef]);
    Snapshot::new(1, zones.collect(), policy, key).expect("snapshot")
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
    reply_to(snapshot, query, &arrival(transport))
}

/// The same, for whoever asks.
pub fn reply_to(snapshot: &Snapshot, query: &[u8], arrival: &Arrival) -> Option<Vec<u8>> {
    let mut buffer = query.to_vec();
    // Not zeroes: what the reply leaves unwritten shall show.
    buffer.resize(65_535, 0xaa);
    let tally = &mut Tally::default();
    let mut single = Single::default();
    let len = single.respond(&mut buffer, query.len(), arrival, snapshot, tally)?;
    buffer.truncate(len);
    Some(buffer)
}

/// The reply over every transport: by UDP and TCP as bare messages, and in frames; all are to be
/// the same, byte by byte.
///
/// # Panics
/// Where they differ, or the reply breaks a rule that holds for any.
pub fn everywhere(snapshot: &Snapshot, query: &[u8]) -> Option<Vec<u8>> {
    let by_udp = by_udp(snapshot, query);
    let by_tcp = reply(snapshot, query, Transport::Tcp);
    assert_eq!(by_tcp, by_udp, "TCP gets another reply than UDP");
    by_udp
}

/// The reply by UDP: as a bare message, and in a frame.
///
/// # Panics
/// Where they differ, or the reply breaks a rule that holds for any.
pub fn by_udp(snapshot: &Snapshot, query: &[u8]) -> Option<Vec<u8>> {
    let bare = reply(snapshot, query, Transport::Udp);
    let framed = Exchange::default().message(query, Family::V4, snapshot);
    assert_eq!(
        framed, bare,
        "a frame gets another reply than a bare message"
    );
    if let Some(reply) = &bare {
        check_reply(query, reply).unwrap_or_else(|error| panic!("{error}"));
    }
    bare
}

/// The zones of `tests/fixtures/world`, small ones with one of everything that is special, and the
/// signed ones.
pub const WORLD: [(&str, &str); 6] = [
    ("example.", include_str!("../fixtures/world/example.zone")),
    (
        "child.example.",
        include_str!("../fixtures/world/child.zone"),
    ),
    ("large.test.", include_str!("../fixtures/world/large.zone")),
    SIGNED[0],
    SIGNED[1],
    SIGNED[2],
];

/// A snapshot of [`WORLD`] with a policy that has something to say about everything.
pub fn world() -> Snapshot {
    world_with(policy())
}

/// The same zones under another policy.
pub fn world_with(policy: Policy) -> Snapshot {
    snapshot_with(&WORLD, policy)
}

/// A snapshot of the zones in `tests/fixtures/signed`.
pub fn signed_world() -> Snapshot {
    snapshot(&SIGNED)
}
