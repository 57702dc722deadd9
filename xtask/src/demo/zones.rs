//! The example zones that the demonstration serves.

use crate::repository;
use std::ffi::OsString;
use std::path::PathBuf;

/// Apex and file of every example zone.
const ZONES: &[(&str, &str)] = &[
    ("example.com", "example.com.zone"),
    ("example.net", "example.net.zone"),
    ("0.53.10.in-addr.arpa", "10.53.0.zone"),
    ("0.0.0.0.0.0.0.0.0.0.0.0.3.5.d.f.ip6.arpa", "fd53.zone"),
];

/// The folder of the zone files.
pub(super) fn directory() -> PathBuf {
    repository::root().join("xtask/demo")
}

/// `--zone ORIGIN=FILE` for every example zone.
pub(super) fn arguments() -> impl Iterator<Item = OsString> {
    ZONES.iter().flat_map(|(apex, file)| {
        let mut zone = OsString::from(format!("{apex}="));
        zone.push(directory().join(file));
        [OsString::from("--zone"), zone]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;
    use std::process::Command;

    /// Asks another server's checker about every zone.
    fn all_pass(checker: &str, options: &[&str]) {
        let Some(program) = shell::find_program(checker) else {
            let required = std::env::var_os("CI").is_some();
            assert!(!required, "{checker} is missing: run `cargo xtask test`");
            eprintln!("not checked: {checker} is not installed");
            return;
        };
        for (apex, file) in ZONES {
            let mut command = Command::new(&program);
            command.args(options).arg(apex).arg(directory().join(file));
            shell::read(&mut command, "mend the zone").unwrap();
        }
    }

    #[test]
    fn bind_accepts_the_example_zones() {
        // Not "full", which would ask other machines' servers about names outside the zone.
        all_pass("named-checkzone", &["-i", "local"]);
    }

    #[test]
    fn nsd_accepts_the_example_zones() {
        all_pass("nsd-checkzone", &[]);
    }

    #[test]
    fn every_zone_file_of_the_folder_is_served() {
        let mut files: Vec<_> = std::fs::read_dir(directory())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".zone"))
            .collect();
        files.sort_unstable();
        let mut served: Vec<_> = ZONES.iter().map(|(_, file)| file.to_string()).collect();
        served.sort_unstable();
        assert_eq!(files, served);
    }
}
