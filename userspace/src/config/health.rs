//! `[health]`: what is checked and how, and what is answered when nothing is up.

use super::ConfigError;
use super::names::names;
use crate::zone::variants::AllDown;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which addresses can be down, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthOptions {
    /// The file of marks.
    pub marks: Option<PathBuf>,
    /// What is answered where all variants are down.
    pub all_down: AllDown,
    /// Names that are not checked, but whose addresses can be marked; lowered wire form.
    pub names: Vec<Vec<u8>>,
    /// The checks.
    pub checks: Vec<CheckOptions>,
}

/// A check of the addresses of some names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// What it is called.
    pub name: String,
    /// What is done.
    pub kind: CheckKind,
    /// From one start to the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// So many successes in a row, and an address is up.
    pub up_after: u32,
    /// So many failures in a row, and it is down.
    pub down_after: u32,
    /// Whether an address is up before anything is known of it.
    pub begins_up: bool,
    /// Whose addresses are checked; lowered wire form.
    pub names: Vec<Vec<u8>>,
}

/// What a check does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// Connects to a port.
    Tcp {
        /// The port.
        port: u16,
    },
    /// Asks for a page.
    Http {
        /// The port.
        port: u16,
        /// The page.
        path: String,
        /// The host that is asked for; none: the address.
        host: Option<String>,
        /// The codes that are good ones.
        status: Vec<u16>,
    },
    /// Runs a command: with exit code 0 the address is well.
    Command {
        /// The program and its arguments; `%ADDR%` stands for the address.
        words: Vec<String>,
    },
}

impl HealthOptions {
    /// All names whose addresses may be left out, each once.
    pub fn all_names(&self) -> Vec<Vec<u8>> {
        let checked = self.checks.iter().flat_map(|check| &check.names);
        let mut names: Vec<Vec<u8>> = self.names.iter().chain(checked).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// `[health]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    marks: Option<PathBuf>,
    all_down: AllDown,
    names: Vec<String>,
    check: Vec<Check>,
}

/// `[[health.check]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    name: String,
    kind: Kind,
    port: Option<u16>,
    path: Option<String>,
    host: Option<String>,
    status: Option<Vec<u16>>,
    command: Option<Vec<String>>,
    interval_s: Option<f64>,
    timeout_s: Option<f64>,
    up_after: Option<u32>,
    down_after: Option<u32>,
    initial: Option<Initial>,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Tcp,
    Http,
    Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Initial {
    Up,
    Down,
}

/// Relative paths start at the folder that the file is in.
pub(super) fn resolve(health: &mut Health, folder: &Path) {
    health.marks = health.marks.take().map(|marks| folder.join(marks));
}

/// Checks the section.
pub(super) fn check(file: &Health) -> Result<HealthOptions, ConfigError> {
    let mut known = HashSet::new();
    for check in &file.check {
        if check.name.is_empty() || check.name.contains(char::is_whitespace) {
            let problem = format!("{:?} is no single word", check.name);
            return Err(ConfigError::option("health.check.name", problem));
        }
        if !known.insert(&check.name) {
            let problem = format!("{} is given twice", check.name);
            return Err(ConfigError::option("health.check.name", problem));
        }
    }
    let checks = file.check.iter().map(Check::options);
    Ok(HealthOptions {
        marks: file.marks.clone(),
        all_down: file.all_down,
        names: names("health.names", &file.names)?,
        checks: checks.collect::<Result<_, _>>()?,
    })
}

impl Check {
    fn options(&self) -> Result<CheckOptions, ConfigError> {
        let count = |key, value: Option<u32>, default| {
            let value = value.unwrap_or(default);
            match value {
                1..=1000 => Ok(value),
                _ => Err(self.refuse(key, format!("{value} is not within 1–1000"))),
            }
        };
        if self.names.is_empty() {
            return Err(self.refuse("names", "nothing is checked without a name"));
        }
        Ok(CheckOptions {
            name: self.name.clone(),
            kind: self.kind()?,
            interval: self.seconds("interval_s", self.interval_s, 10.0)?,
            timeout: self.seconds("timeout_s", self.timeout_s, 3.0)?,
            up_after: count("up_after", self.up_after, 3)?,
            down_after: count("down_after", self.down_after, 3)?,
            begins_up: self.initial != Some(Initial::Down),
            names: names(&self.option("names"), &self.names)?,
        })
    }

    fn kind(&self) -> Result<CheckKind, ConfigError> {
        let strange: &[(&str, bool)] = match self.kind {
            Kind::Tcp => &[
                ("path", self.path.is_some()),
                ("host", self.host.is_some()),
                ("status", self.status.is_some()),
                ("command", self.command.is_some()),
            ],
            Kind::Http => &[("command", self.command.is_some())],
            Kind::Command => &[
                ("port", self.port.is_some()),
                ("path", self.path.is_some()),
                ("host", self.host.is_some()),
                ("status", self.status.is_some()),
            ],
        };
        if let Some((key, _)) = strange.iter().find(|(_, is_there)| *is_there) {
            return Err(self.refuse(key, "a check of this kind has none"));
        }
        match self.kind {
            Kind::Tcp => Ok(CheckKind::Tcp {
                port: self.port(None)?,
            }),
            Kind::Http => self.http(),
            Kind::Command => match self.command.as_deref() {
                Some(words @ [program, ..]) if !program.is_empty() => Ok(CheckKind::Command {
                    words: words.to_vec(),
                }),
                _ => Err(self.refuse("command", "a program and its arguments are missing")),
            },
        }
    }

    fn http(&self) -> Result<CheckKind, ConfigError> {
        // What follows a control character would be a header of its own.
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let path = self.path.clone().unwrap_or_else(|| "/".to_owned());
        if !path.starts_with('/') || !is_plain(&path) {
            let problem = format!("{path:?} does not start with / or has other than ASCII letters");
            return Err(self.refuse("path", problem));
        }
        if let Some(host) = self.host.as_deref()
            && (host.is_empty() || !is_plain(host))
        {
            return Err(self.refuse("host", format!("{host:?} is no host's name")));
        }
        let status = self.status.clone().unwrap_or_else(|| vec![200]);
        if let Some(code) = status.iter().find(|code| !(100..=599).contains(*code)) {
            return Err(self.refuse("status", format!("{code} is not within 100–599")));
        }
        Ok(CheckKind::Http {
            port: self.port(Some(80))?,
            path,
            host: self.host.clone(),
            status,
        })
    }

    fn port(&self, default: Option<u16>) -> Result<u16, ConfigError> {
        match self.port.or(default) {
            Some(0) => Err(self.refuse("port", "port 0 cannot be asked")),
            Some(port) => Ok(port),
            None => Err(self.refuse("port", "it is missing")),
        }
    }

    fn seconds(
        &self,
        key: &str,
        value: Option<f64>,
        default: f64,
    ) -> Result<Duration, ConfigError> {
        let value = value.unwrap_or(default);
        match (0.05..=86_400.0).contains(&value) {
            true => Ok(Duration::from_secs_f64(value)),
            false => Err(self.refuse(key, format!("{value} is not within 0.05–86400"))),
        }
    }

    fn option(&self, key: &str) -> String {
        format!("health.check {}: {key}", self.name)
    }

    fn refuse(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::option(self.option(key), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<HealthOptions, String> {
        let file: Health = toml::from_str(text).map_err(|error| error.to_string())?;
        check(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_check_has_its_defaults() {
        let text = r#"
            marks = "marks"
            all_down = "answer-all"
            names = ["Mail.example."]
            check = [
                { name = "t", kind = "tcp", port = 22, names = ["a"] },
                { name = "h", kind = "http", names = ["a", "b"], interval_s = 0.5 },
                { name = "c", kind = "command", command = ["x", "%ADDR%"], names = ["b"],
                  initial = "down" },
            ]
        "#
        .replace("\n                  ", " ");
        let options = checked(&text).unwrap();
        let [tcp, http, command] = &options.checks[..] else {
            panic!("{options:?}");
        };
        assert_eq!(tcp.kind, CheckKind::Tcp { port: 22 });
        assert_eq!((tcp.up_after, tcp.down_after, tcp.begins_up), (3, 3, true));
        assert_eq!(tcp.interval, Duration::from_secs(10));
        assert_eq!(http.interval, Duration::from_millis(500));
        let CheckKind::Http {
            port,
            path,
            host,
            status,
        } = &http.kind
        else {
            panic!("{http:?}");
        };
        assert_eq!(
            (*port, &path[..], host, &status[..]),
            (80, "/", &None, &[200][..])
        );
        assert!(!command.begins_up);
        let names = [&b"\x01a\0"[..], b"\x01b\0", b"\x04mail\x07example\0"];
        assert_eq!(options.all_names(), names.map(<[u8]>::to_vec));
        assert_eq!(options.all_down, AllDown::AnswerAll);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_check() {
        let with = |rest: &str| {
            let text = format!("check = [{{ name = \"x\", {rest} }}]");
            checked(&text).unwrap_err()
        };
        let names = "names = [\"a\"]";
        for (rest, problem) in [
            ("kind = \"tcp\", port = 1", "health.check x: names: nothing"),
            (
                &format!("kind = \"tcp\", {names}"),
                "health.check x: port: it is missing",
            ),
            (
                &format!("kind = \"tcp\", port = 0, {names}"),
                "port 0 cannot",
            ),
            (
                &format!("kind = \"tcp\", port = 1, path = \"/\", {names}"),
                "path: a check of",
            ),
            (
                &format!("kind = \"http\", path = \"x\", {names}"),
                "does not start with /",
            ),
            (
                &format!("kind = \"http\", path = \"/\\r\\nX: 1\", {names}"),
                "other than ASCII",
            ),
            (
                &format!("kind = \"http\", status = [99], {names}"),
                "99 is not within 100–599",
            ),
            (
                &format!("kind = \"command\", {names}"),
                "command: a program",
            ),
            (
                &format!("kind = \"http\", interval_s = 0, {names}"),
                "interval_s: 0 is not within",
            ),
            (
                &format!("kind = \"http\", up_after = 0, {names}"),
                "up_after: 0 is not within",
            ),
            (
                "kind = \"http\", names = [\"a..b\"]",
                "names: \"a..b\" is no name",
            ),
        ] {
            let told = with(rest);
            assert!(told.contains(problem), "{told}");
        }
        let twice = "check = [{ name = \"x\", kind = \"http\", names = [\"a\"] }, \
                     { name = \"x\", kind = \"http\", names = [\"a\"] }]";
        assert!(checked(twice).unwrap_err().contains("x is given twice"));
    }
}
