//! The example that the demonstration serves: a configuration, its zones, and questions about them.

use crate::repository;
use std::path::PathBuf;

/// The configuration file; it names the zone files beside it.
pub(super) fn configuration() -> PathBuf {
    directory().join("ripples.toml")
}

/// A list of questions that `dnsperf` and `kxdpgun` read.
pub(super) fn queries() -> PathBuf {
    directory().join("queries.txt")
}

fn directory() -> PathBuf {
    repository::root().join("xtask/demo")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;
    use std::process::Command;

    /// Apex and file of every zone in the configuration.
    fn zones() -> Vec<(String, String)> {
        let text = std::fs::read_to_string(configuration()).unwrap();
        let configuration: toml::Table = toml::from_str(&text).unwrap();
        let zones = configuration["zone"].as_array().unwrap().iter();
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        zones
            .map(|zone| (text(&zone["origin"]), text(&zone["file"])))
            .collect()
    }

    /// A zone's text up to its first `$VARIANT`, which only Ripples knows: they stand at the end.
    fn plain(file: &str) -> String {
        let text = std::fs::read_to_string(directory().join(file)).unwrap();
        let end = text.find("\n$VARIANT").map_or(text.len(), |at| at + 1);
        text[..end].to_owned()
    }

    /// Asks another server's checker about every zone.
    fn all_pass(checker: &str, options: &[&str]) {
        let Some(program) = shell::find_program(checker) else {
            let required = std::env::var_os("CI").is_some();
            assert!(!required, "{checker} is missing: run `cargo xtask test`");
            eprintln!("not checked: {checker} is not installed");
            return;
        };
        for (apex, file) in zones() {
            let mut command = Command::new(&program);
            let name = format!("xtask-{}-{checker}-{file}", std::process::id());
            let copy = std::env::temp_dir().join(name);
            std::fs::write(&copy, plain(&file)).unwrap();
            command.args(options).arg(apex).arg(&copy);
            let checked = shell::read(&mut command, "mend the zone");
            std::fs::remove_file(copy).unwrap();
            checked.unwrap();
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
        let entries = std::fs::read_dir(directory()).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".zone"))
            .collect();
        files.sort_unstable();
        let mut served: Vec<_> = zones().into_iter().map(|(_, file)| file).collect();
        served.sort_unstable();
        assert_eq!(files, served);
    }
}
