//! What is measured: a world, and the queries that it is asked.

use super::geo;
use super::names::Spread;
use super::queries::{self, Expected, Extra};
use super::worlds::{World, host};
use ripples::snapshot::Snapshot;
use tests::exchange::Family;

/// Different queries of a usual case.
const TEMPLATES: usize = 1 << 16;
/// Of one whose names no cache holds.
const MANY_TEMPLATES: usize = 1 << 20;
/// From how many names on there are so many.
const MANY_NAMES: u64 = 1_000_000;
/// Worlds with more names are built only when they are asked for.
const NAMES_MAX: u64 = 1_000_000;
/// Worlds with more names take too long to build under valgrind.
const COUNTED_MAX: u64 = 2_000;

/// Queries of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The zones that are asked.
    pub(crate) world: World,
    /// Which names are asked for,
    spread: Spread,
    /// and how such a name is written.
    qname: fn(u64) -> String,
    extra: Extra,
    family: Family,
    expected: Expected,
}

const KILO: u64 = 1_000;
const MEGA: u64 = 1_000_000;
/// Numbers of names that do not exist.
const ANY: Spread = Spread::Uniform(u64::MAX);

/// All cases; those of one world behind each other.
pub(crate) const CASES: &[Case] = &[
    hosts("hot", KILO, Spread::One(7)),
    hosts("hot, EDNS in half", KILO, Spread::One(7)).with(Extra::EdnsInHalf),
    hosts("hot, client cookie", KILO, Spread::One(7)).with(Extra::ClientCookie),
    hosts("hot, IPv6", KILO, Spread::One(7)).ipv6(),
    hosts("1k uniform", KILO, Spread::Uniform(KILO)),
    hosts("1k uniform, DO", KILO, Spread::Uniform(KILO)).with(Extra::DnssecOk),
    hosts("1k uniform, IPv6", KILO, Spread::Uniform(KILO)).ipv6(),
    hosts("1k Zipf", KILO, Spread::Zipf(KILO)),
    missing("1k nxdomain", KILO),
    hosts("hot, server cookie", KILO, Spread::One(7)).strict(KILO),
    case("referral", World::CutsAndWildcards(KILO), |i| {
        format!("www.d{i}.cuts.example")
    })
    .over(Spread::Uniform(KILO))
    .gives(Expected::Referral),
    case("wildcard", World::CutsAndWildcards(KILO), |i| {
        format!("x{}.w{}.wild.example", i / KILO, i % KILO)
    }),
    // Every name above it exists: the search for the closest one goes all the way.
    case("127 labels, nxdomain", World::Deep, |i| {
        format!("{}.{}b.c", i % 10, "a.".repeat(124))
    })
    .gives(Expected::NoName),
    case("signed, hot", World::Signed, |_| "www.nsec.test".into()).with(Extra::DnssecOk),
    case("signed, wildcard", World::Signed, |i| {
        format!("x{i}.wild.nsec.test")
    })
    .with(Extra::DnssecOk),
    case("signed, NSEC nxdomain", World::Signed, |i| {
        format!("x{i}.nsec.test")
    })
    .with(Extra::DnssecOk)
    .gives(Expected::NoName),
    case("signed, NSEC3 nxdomain", World::Signed, |i| {
        format!("x{i}.nsec3.test")
    })
    .with(Extra::DnssecOk)
    .gives(Expected::NoName),
    case("geo", World::Geo, |i| host(i % geo::HOSTS)).with(Extra::Anywhere),
    hosts("100k uniform", 100 * KILO, Spread::Uniform(100 * KILO)),
    hosts("100k Zipf", 100 * KILO, Spread::Zipf(100 * KILO)),
    case("100k zones", World::Zones(100 * KILO), |i| {
        format!("www.zone{i:07}.example")
    })
    .over(Spread::Uniform(100 * KILO)),
    hosts("1M uniform", MEGA, Spread::Uniform(MEGA)),
    hosts("1M uniform, EDNS in half", MEGA, Spread::Uniform(MEGA)).with(Extra::EdnsInHalf),
    hosts("1M Zipf", MEGA, Spread::Zipf(MEGA)),
    missing("1M nxdomain", MEGA),
    hosts("1M uniform, saved", MEGA, Spread::Uniform(MEGA)).within(World::Saved(MEGA)),
    hosts("1M uniform, 4 KiB pages", MEGA, Spread::Uniform(MEGA)).within(World::SavedSmall(MEGA)),
    hosts("10M uniform", 10 * MEGA, Spread::Uniform(10 * MEGA)),
    hosts("10M Zipf", 10 * MEGA, Spread::Zipf(10 * MEGA)),
];

/// Queries for names that exist.
const fn case(name: &'static str, world: World, qname: fn(u64) -> String) -> Case {
    Case {
        name,
        world,
        spread: ANY,
        qname,
        extra: Extra::None,
        family: Family::V4,
        expected: Expected::Answer,
    }
}

/// Queries for the hosts of a zone with `count` of them.
const fn hosts(name: &'static str, count: u64, spread: Spread) -> Case {
    case(name, World::Hosts(count), host).over(spread)
}

/// Queries for names that such a zone does not have.
const fn missing(name: &'static str, count: u64) -> Case {
    case(name, World::Hosts(count), |i| format!("x{i}.example.com")).gives(Expected::NoName)
}

impl Case {
    const fn over(mut self, spread: Spread) -> Self {
        self.spread = spread;
        self
    }

    const fn with(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    const fn gives(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    const fn ipv6(mut self) -> Self {
        self.family = Family::V6;
        self
    }

    /// In another world.
    const fn within(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// With a server cookie, in a world where nothing else gets an answer.
    const fn strict(mut self, count: u64) -> Self {
        self.world = World::Cookies(count);
        self.with(Extra::ServerCookie)
    }

    /// Whether `part` of a name, or `all`, means this case. What takes minutes wants to be named.
    pub(crate) fn is_meant(&self, part: &str, all: bool) -> bool {
        let is_named = part.contains("10M") || all;
        self.name.contains(part) && (is_named || self.world.size() <= NAMES_MAX)
    }

    /// Whether its instructions can be counted in a moment.
    pub(crate) fn is_counted(&self) -> bool {
        self.world.size() <= 5 * COUNTED_MAX
    }

    /// Whether it is run with a query log as well.
    pub(crate) fn is_logged(&self) -> bool {
        ["hot", "1k uniform", "1M uniform"].contains(&self.name)
    }

    /// The queries as frames.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let count = match self.spread {
            Spread::One(_) => 64,
            _ if self.world.size() >= MANY_NAMES => MANY_TEMPLATES,
            _ => TEMPLATES,
        };
        self.first_frames(count)
    }

    /// So many of them.
    pub(crate) fn first_frames(&self, count: usize) -> Vec<Vec<u8>> {
        let coins = (0u64..).map(|i| super::names::stir(!i));
        let numbers = self.spread.numbers().zip(coins).take(count);
        let frame = |(number, coins)| {
            let name = (self.qname)(number);
            queries::frame(&name, self.extra, self.family, self.world, coins)
        };
        numbers.map(frame).collect()
    }

    /// Has some of them answered.
    pub(crate) fn check(&self, frames: &[Vec<u8>], snapshot: &Snapshot) {
        queries::check(self.name, frames, snapshot, self.expected);
    }
}
