//! The unit file for systemd, as systemd reads it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tests::binary::binary;
use tests::folder::Folder;

/// What `systemd-analyze security` may say of the unit, from 0 (safe) to 100: it has capabilities
/// and address families that few services need.
const EXPOSURE_MAX: &str = "30";

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let Some(unit) = Unit::new() else { return };
    let output = unit.analyze(&["verify", "--man=no"]);
    let said = String::from_utf8_lossy(&output.stderr);
    // Other units of the machine may have their faults.
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("ripples"))
        .collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn the_unit_is_as_closed_as_af_xdp_allows() {
    let Some(unit) = Unit::new() else { return };
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let output = unit.analyze(&["security", "--offline=true", "--no-pager", &threshold]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// The unit, with the binary that the tests are for in the place of the installed one.
struct Unit {
    folder: Folder,
}

impl Unit {
    /// None where there is no systemd to ask.
    fn new() -> Option<Self> {
        let installed = Command::new("systemd-analyze").arg("--version").output();
        let promised = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            installed.is_ok() || !promised,
            "CI=true promises systemd-analyze"
        );
        if installed.is_err() {
            eprintln!("not run: there is no systemd-analyze (the package systemd has it)");
            return None;
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/ripples.service");
        let text = fs::read_to_string(file).expect("a file of the repository");
        let installed = "/usr/local/bin/ripples ";
        assert!(text.contains(installed), "{text}");
        let folder = Folder::new();
        let ours = format!("{} ", binary().display());
        folder.write("ripples.service", text.replace(installed, &ours));
        Some(Self { folder })
    }

    fn analyze(&self, words: &[&str]) -> Output {
        let unit = self.folder.path().join("ripples.service");
        let mut command = Command::new("systemd-analyze");
        let output = command.args(words).arg(unit).output();
        output.expect("it has told its version")
    }
}
