//! Databases that somebody has damaged: refused, or read; never a panic, never without end.

use crate::options;
use ripples::config::GeoOptions;
use ripples::geo::load::Sources;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tests::folder::Folder;
use tests::mmdb::{Datum, Writer};

const RULES: &str = "databases = [\"x.mmdb\"]\n[geo.map.m]\ndefault = \"rest\"\n\
                     country = { DE = \"de\" }\nnearest = { here = [1, 2] }\n";

/// As small as a database can be that has everything.
fn small() -> Writer {
    let mut writer = Writer {
        record_size: 24,
        ..Writer::new("T")
    };
    let germany = Datum::country("EU", "DE").within(&["HE"]).at(50.0, 8.0);
    writer.say("192.0.2.0/24", germany);
    writer.say("2a00::/12", Datum::country("EU", "FR"));
    writer
}

/// Loads what the file has become and, if it can be, looks addresses up.
fn read(options: &GeoOptions, bytes: &[u8]) -> Result<(), Vec<String>> {
    let sources = Sources::of(options, vec![bytes.to_vec()])?;
    let loaded = sources.load()?;
    for address in [
        "192.0.2.1",
        "8.8.8.8",
        "2a00::1",
        "2002:c000:201::",
        "::ffff:192.0.2.1",
    ] {
        let address: IpAddr = address.parse().expect("a good address");
        let found = loaded.geo.maps[0].find(address);
        let why = sources.explain(address).map_err(|problem| vec![problem])?;
        assert_eq!(why.reasons[0].region(), found.region, "{address}");
    }
    Ok(())
}

#[test]
fn a_byte_that_is_changed_is_noticed_or_does_no_harm() {
    let folder = Folder::new();
    let options = options(&folder, RULES);
    let sound = small().finish();
    read(&options, &sound).unwrap();
    let mut refused = 0;
    for at in 0..sound.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] ^= change;
            if let Err(problems) = read(&options, &bytes) {
                refused += 1;
                let problem = &problems[0];
                let names = ["x.mmdb: ", "geo.map.m."];
                assert!(
                    names.iter().any(|name| problem.contains(name)),
                    "{at}: {problem}"
                );
            }
        }
    }
    assert!(refused > sound.len(), "{refused} of {}", 4 * sound.len());
}

#[test]
fn what_is_cut_off_anywhere_is_refused() {
    let folder = Folder::new();
    let options = options(&folder, RULES);
    let sound = small().finish();
    for len in 0..sound.len() {
        assert!(read(&options, &sound[..len]).is_err(), "{len}");
        assert!(read(&options, &sound[len + 1..]).is_err(), "{len}");
    }
}

#[test]
fn search_trees_that_do_not_end_are_refused_at_once() {
    let folder = Folder::new();
    let options = options(&folder, RULES);
    let mut writer = Writer {
        record_size: 32,
        ..Writer::new("T")
    };
    writer.say("ffff::1/128", Datum::country("EU", "DE"));
    let sound = writer.finish();
    // Both ways lead from each of the 128 nodes to the next one: 2^127 networks.
    let both = |node: u32| {
        if node < 127 {
            [node + 1; 2]
        } else {
            [128 + 16; 2]
        }
    };
    // Both ways lead back to the first node.
    let round = |_| [0; 2];
    // One way leads to a record, the other one back.
    let loops = |_| [128 + 16, 0];
    for records in [both, round, loops] as [fn(u32) -> [u32; 2]; 3] {
        let mut bytes = sound.clone();
        for node in 0..128 {
            let at = node as usize * 8;
            let [left, right] = records(node).map(u32::to_be_bytes);
            bytes[at..at + 8].copy_from_slice(&[left, right].concat());
        }
        let started = Instant::now();
        let problems = read(&options, &bytes).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(
            problems[0].contains("search tree appears to have a cycle"),
            "{problems:?}"
        );
    }
}
