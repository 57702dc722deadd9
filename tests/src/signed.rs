//! Zones signed by BIND's tools.

use crate::folder::Folder;
use crate::name::Name;
use crate::peer::ZoneFile;
use crate::record::{Data, Record};
use crate::zones::{self, missing};
use ripples::zone::records::ZoneRecords;
use std::process::Command;

/// How a zone denies what it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// RFC 4034.
    Nsec,
    /// RFC 5155, without salt and further rounds (RFC 9276 §3.1).
    Nsec3,
    /// RFC 5155 §6: delegations without DS records are left out.
    OptOut,
}

impl Denial {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nsec, Self::Nsec3, Self::OptOut];

    /// What `dnssec-signzone` calls it.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Nsec => &[],
            Self::Nsec3 => &["-3", "-", "-H", "0"],
            Self::OptOut => &["-3", "-", "-H", "0", "-A"],
        }
    }
}

/// Whether the tools are installed. Says if not, and fails where they were promised.
pub fn can_sign() -> bool {
    ["dnssec-keygen", "dnssec-signzone"].iter().all(|tool| {
        let installed = Command::new(tool).arg("-V").output().is_ok();
        installed || missing::<()>(tool).is_some()
    })
}

/// Signs a zone with keys of its own.
///
/// # Panics
/// Where the tools refuse it.
pub fn sign((origin, text): &ZoneFile, denial: Denial) -> ZoneFile {
    let folder = Folder::new();
    folder.write("zone", text);
    // The key that signs keys, and the one that signs all else.
    for role in [&["-f", "KSK"][..], &[]] {
        let arguments = [&["-q", "-a", "ECDSAP256SHA256"], role, &[origin]].concat();
        run(&folder, "dnssec-keygen", &arguments);
    }
    let smart = ["-q", "-S", "-P", "-O", "full", "-f", "signed", "-o", origin];
    let arguments = [&smart[..], denial.arguments(), &["zone"]].concat();
    run(&folder, "dnssec-signzone", &arguments);
    // Not as BIND writes it: others read fewer characters of a name without an escape.
    let path = folder.path().join("signed");
    let parsed = ZoneRecords::read(&path, &zones::origin(origin));
    let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
    let lines = zones::flatten(&records).into_iter();
    let lines = lines.map(|(owner, ttl, rtype, rdata)| Record {
        owner: Name::of_wire(&owner),
        rtype,
        ttl,
        data: Data::Octets(rdata),
    });
    (origin.clone(), lines.map(|record| record.line()).collect())
}

fn run(folder: &Folder, tool: &str, arguments: &[&str]) {
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {arguments:?}: {said}");
}
