//! The harness that the tests share.

pub mod alloc;
pub mod answers;
pub mod ask;
pub mod binary;
pub mod client;
pub mod control;
pub mod decoded;
pub mod echo;
pub mod exchange;
pub mod ferret;
pub mod folder;
pub mod generations;
pub mod hostile;
pub mod interrupt;
pub mod invariants;
pub mod judge;
pub mod loopback;
pub mod maps;
pub mod medians;
pub mod mmdb;
pub mod model;
pub mod name;
pub mod napi;
pub mod netns;
pub mod open_loop;
pub mod packets;
pub mod peer;
pub mod process;
pub mod python;
pub mod record;
pub mod redirect;
pub mod rights;
pub mod saved;
pub mod scrape;
pub mod script;
pub mod server;
pub mod signed;
pub mod single;
pub mod stats;
pub mod steady;
pub mod strategies;
pub mod tap;
pub mod tcp;
pub mod tcp_load;
pub mod verdict_cases;
pub mod whereabouts;
pub mod wire;
pub mod words;
pub mod worlds;
pub mod zones;

use proptest::test_runner::{Config, RngSeed};

/// Settings of a property that is tried `cases` times, always the same: what a change breaks must
/// not depend on chance. With `PROPTEST_CASES` it is tried as often as that says, on new cases.
pub fn cases(cases: u32) -> Config {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => Config {
            cases,
            rng_seed: RngSeed::Fixed(1),
            ..config
        },
    }
}
