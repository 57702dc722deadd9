//! Zones and files for tests.

use std::fs;
use std::path::{Path, PathBuf};

use ripples::name::{NameBuf, ROOT};
use ripples::zone::error::ZoneProblem;
use ripples::zone::records::ZoneRecords;

/// One zone signed in three ways, with NSEC, NSEC3, and NSEC3 with opt-out: apex and master file.
pub const SIGNED: [(&str, &str); 3] = [
    ("nsec.test.", include_str!("../fixtures/signed/nsec.zone")),
    ("nsec3.test.", include_str!("../fixtures/signed/nsec3.zone")),
    (
        "optout.test.",
        include_str!("../fixtures/signed/optout.zone"),
    ),
];

/// Owner, TTL, type and data of a record.
pub type Flat = (Vec<u8>, u32, u16, Vec<u8>);

/// Takes all records out of a zone.
pub fn flatten(records: &ZoneRecords) -> Vec<Flat> {
    let mut flat = Vec::new();
    for owner in records.owners() {
        for rrset in owner.rrsets() {
            for data in rrset.records() {
                flat.push((
                    owner.name().to_vec(),
                    rrset.ttl(),
                    rrset.rtype(),
                    data.to_vec(),
                ));
            }
        }
    }
    flat
}

/// Reads a zone's name.
pub fn origin(text: &str) -> NameBuf {
    NameBuf::from_text(text.as_bytes(), ROOT).expect("a test's own files and names are good")
}

/// Finds what does not belong to the product: beside the repository, or where the environment says.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("RIPPLES_SHARED")
        .map_or(beside, PathBuf::from)
        .join(path);
    if shared.exists() {
        Some(shared)
    } else {
        missing(&shared.display().to_string())
    }
}

/// Says what is missing; where everything was promised to be there it fails.
pub fn missing<T>(what: &str) -> Option<T> {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{what} is missing"
    );
    eprintln!("nothing was compared, for lack of {what}");
    None
}

/// A directory for one test.
#[derive(Debug)]
pub struct Room(pub PathBuf);

impl Room {
    /// Makes the directory; it goes with the value.
    pub fn new(what: &str) -> Self {
        let thread = std::thread::current().id();
        let unique = format!("ripples-{}-{thread:?}-{what}", std::process::id());
        let path = std::env::temp_dir().join(unique).join(what);
        fs::create_dir_all(&path).expect("a test's own files and names are good");
        Self(path)
    }

    /// Writes a file, and the directories that its name wants.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(
            path.parent()
                .expect("a test's own files and names are good"),
        )
        .expect("a test's own files and names are good");
        fs::write(path, text).expect("a test's own files and names are good");
    }

    /// A problem, its files named from within the directory.
    pub fn shown(&self, problem: &ZoneProblem) -> String {
        problem
            .to_string()
            .replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(
            self.0
                .parent()
                .expect("a test's own files and names are good"),
        );
    }
}
