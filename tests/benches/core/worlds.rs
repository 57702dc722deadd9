//! The zones that are asked, from text as an operator would write it.

use super::file::File;
use super::geo;
use ripples::name::{NameBuf, ROOT};
use ripples::packet::NameKey;
use ripples::packet::cookie::{Cookies, Secret};
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::compile::compile;
use ripples::zone::image::ZoneImage;
use ripples::zone::records::ZoneRecords;
use std::fmt::Write;
use std::time::Instant;
use tests::answers::signed_world;

/// From how many names on building takes long enough to say so.
const MANY: u64 = 1_000_000;
/// What every zone begins with.
const HEAD: &str = "$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n";

/// Zones to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// One zone with this many names.
    Hosts(u64),
    /// This many zones with a few names each.
    Zones(u64),
    /// A zone that delegates, and one with wildcards, this many of each.
    CutsAndWildcards(u64),
    /// A zone as deep as names get.
    Deep,
    /// The tests' small signed zones.
    Signed,
    /// A zone whose names vary by region.
    Geo,
    /// As `Hosts`, for clients that have to show valid cookies.
    Cookies(u64),
    /// As `Hosts`, compiled into a file and loaded from it.
    Saved(u64),
    /// As `Saved`, but the file is not in huge pages.
    SavedSmall(u64),
}

impl World {
    /// How many names there are, roughly.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::Hosts(count)
            | Self::Cookies(count)
            | Self::Saved(count)
            | Self::SavedSmall(count) => count,
            Self::Zones(count) | Self::CutsAndWildcards(count) => 5 * count,
            Self::Deep | Self::Signed => 300,
            Self::Geo => geo::HOSTS,
        }
    }

    /// Compiles it.
    pub(crate) fn snapshot(self) -> Snapshot {
        let start = Instant::now();
        if self.size() >= MANY / 2 {
            eprintln!("building a world of {} names …", self.size());
        }
        let policy = Policy {
            cookies: self.cookies(),
            ..Policy::default()
        };
        let images = match self {
            Self::Signed => return signed_world(),
            Self::Geo => return geo::world(HEAD),
            Self::Hosts(count) | Self::Cookies(count) => vec![hosts(count)],
            Self::Saved(count) => vec![File::of(&hosts(count)).load()],
            Self::SavedSmall(count) => vec![File::of(&hosts(count)).load_into_small_pages()],
            Self::Zones(count) => (0..count).map(small_zone).collect(),
            Self::CutsAndWildcards(count) => vec![
                each("cuts.example", count, |text, i| {
                    let _ = writeln!(text, "d{i} NS ns.d{i}\nns.d{i} A 192.0.2.53");
                }),
                each("wild.example", count, |text, i| {
                    let _ = writeln!(text, "*.w{i} A 192.0.2.80");
                }),
            ],
            Self::Deep => {
                // Two labels of the origin, 125 below.
                let name = "a.".repeat(125);
                vec![zone("b.c", format!("{HEAD}{name}b.c. A 192.0.2.9\n"))]
            }
        };
        let images_len: usize = images.iter().map(|image| image.bytes().len()).sum();
        // The same in every run: so are the places of names, and the instructions to find them.
        let key = NameKey::new([1, 2, 3]);
        let zones = images.into_iter().map(Into::into).collect();
        let snapshot = Snapshot::new(1, zones, policy, key).expect("a snapshot");
        if self.size() >= MANY / 2 {
            let each = |bytes: usize| bytes as u64 / self.size();
            let (image, all) = (each(images_len), each(snapshot.size_bytes()));
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{image} bytes of image per name, {all} with the index; {seconds:.1} s");
        }
        snapshot
    }

    /// What cookies are made from, and whether they are required.
    pub(crate) fn cookies(self) -> Option<Cookies> {
        Some(Cookies {
            secret: Secret([7; 16]),
            others: Vec::new(),
            require: matches!(self, Self::Cookies(_)),
        })
    }
}

/// The name of host `i`: 29 bytes on the wire.
pub(crate) fn host(i: u64) -> String {
    format!("host-{i:010}.example.com")
}

/// The zone example.com with `count` hosts, 1.4 addresses each.
fn hosts(count: u64) -> ZoneImage {
    each("example.com", count, |text, i| {
        let [.., b, c, d] = i.to_be_bytes();
        let _ = writeln!(text, "host-{i:010} A 10.{b}.{c}.{d}");
        if i % 5 < 2 {
            let _ = writeln!(text, " A 11.{b}.{c}.{d}");
        }
    })
}

/// Zone `i` of many.
fn small_zone(i: u64) -> ZoneImage {
    let text = format!("{HEAD}www A 192.0.2.80\nmail A 192.0.2.25\n@ MX 10 mail\n");
    zone(&format!("zone{i:07}.example"), text)
}

/// A zone with something for each number below `count`.
fn each(origin: &str, count: u64, line: impl Fn(&mut String, u64)) -> ZoneImage {
    let mut text = String::from(HEAD);
    for i in 0..count {
        line(&mut text, i);
    }
    zone(origin, text)
}

/// Compiles a zone. Its text goes before its image comes.
fn zone(origin: &str, text: String) -> ZoneImage {
    let origin = NameBuf::from_text(origin.as_bytes(), ROOT).expect("a name");
    let parsed = ZoneRecords::parse(text.as_bytes(), "bench.zone", &origin);
    drop(text);
    let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
    compile(&records).unwrap_or_else(|error| panic!("{error}"))
}
