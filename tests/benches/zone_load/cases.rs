//! The zones that are loaded.

use super::reader::root_zone;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use tests::folder::Folder;

/// What every zone begins with.
const HEAD: &str = "$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\n@ NS ns2\n\
                    ns A 192.0.2.1\nns2 A 192.0.2.2\n";
/// Names of the large zone, and zones where there are many.
const NAMES: u64 = 1_000_000;
const ZONES: u64 = 100_000;

/// A case of the benchmark.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    zones: Zones,
}

enum Zones {
    /// One of a million names, its lines in an order.
    Hosts(fn(u64) -> u64),
    /// The real root zone.
    Root,
    /// Many small ones.
    Small,
}

/// All of them.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "1M names sorted",
        zones: Zones::Hosts(|i| i),
    },
    Case {
        name: "1M names shuffled",
        // A step that shares no divisor with the count visits every number once.
        zones: Zones::Hosts(|i| i * 7_654_321 % NAMES),
    },
    Case {
        name: "root zone",
        zones: Zones::Root,
    },
    Case {
        name: "100k small zones",
        zones: Zones::Small,
    },
];

impl Case {
    /// Writes the zones and a list of them, `ORIGIN FILE` a line. `None` where one is missing.
    pub(crate) fn write(&self, folder: &Folder) -> Option<PathBuf> {
        let mut list = String::new();
        match self.zones {
            Zones::Hosts(order) => {
                let file = folder.write("zone", hosts(order));
                let _ = writeln!(list, "example.com. {}", file.display());
            }
            Zones::Root => {
                let _ = writeln!(list, ". {}", root_zone()?.display());
            }
            Zones::Small => {
                for i in 0..ZONES {
                    let part = folder.path().join(format!("{}", i / 1000));
                    fs::create_dir_all(&part).expect("a folder");
                    let file = part.join(format!("{i}"));
                    fs::write(&file, small(i)).expect("a zone");
                    let _ = writeln!(list, "zone-{i:06}.example. {}", file.display());
                }
            }
        }
        Some(folder.write("list", list))
    }
}

/// The text of a zone with one or two addresses per name.
fn hosts(order: fn(u64) -> u64) -> String {
    let mut text = String::from(HEAD);
    for i in (0..NAMES).map(order) {
        let [.., b, c, d] = i.to_be_bytes();
        let _ = writeln!(text, "host-{i:010}.example.com. A 10.{b}.{c}.{d}");
        if i % 5 < 2 {
            let _ = writeln!(text, "host-{i:010}.example.com. A 11.{b}.{c}.{d}");
        }
    }
    text
}

/// The text of a zone with SOA, two NS and one to three other records.
fn small(i: u64) -> String {
    let [.., b, c, d] = i.to_be_bytes();
    let mut text = String::from(
        "$TTL 300\n@ SOA ns.elsewhere. admin 1 3600 600 86400 60\n@ NS ns.elsewhere.\n\
         @ NS ns2.elsewhere.\n",
    );
    for host in &["@", "www", "mail"][..1 + (i % 3) as usize] {
        let _ = writeln!(text, "{host} A 10.{b}.{c}.{d}");
    }
    text
}
