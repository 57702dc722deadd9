//! The application log of the `ripples` binary: what a line is, where it goes, that none is lost.

mod disk;
mod end;
mod file;
mod journal;
mod lines;
mod options;

use tests::loopback;
use tests::server::{EXAMPLE, Launch};

/// A server of the zone `example`, with the configuration `toml` and `arguments`.
fn launch(toml: &str, arguments: &[&str]) -> Launch {
    let listen = loopback::address().to_string();
    Launch::run(&["--config", "r.toml", "--listen", &listen])
        .with(arguments)
        .file("r.toml", toml)
        .zone("example", EXAMPLE)
}

/// Panics unless each line begins as every line of text does.
fn parse_all(text: &str) {
    for line in text.lines() {
        parse(line);
    }
}

/// Panics unless `line` begins as every line of text does; returns its level and what is behind.
fn parse(line: &str) -> (&str, &str) {
    let mut words = line.splitn(3, ' ');
    let (time, level) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z", "{line}");
    let levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
    assert!(levels.contains(&level), "{line}");
    (level, words.next().unwrap_or_default())
}
