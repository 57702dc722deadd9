//! The words that `cargo xtask bench` hands to a benchmark.

use std::time::Duration;

/// A benchmark's command line.
pub struct Words {
    /// Whether to measure. Cargo passes `--bench`; without it this is only to be seen to work.
    pub measured: bool,
    /// Options and their values.
    pub options: Vec<String>,
    /// What stands behind `--`: for the server.
    pub server: Vec<String>,
}

impl Words {
    /// This process's.
    pub fn of_process() -> Self {
        Self::split(std::env::args().skip(1))
    }

    fn split(words: impl Iterator<Item = String>) -> Self {
        let (bench, mut options): (Vec<_>, Vec<_>) = words.partition(|word| word == "--bench");
        let at = options.iter().position(|word| word == "--");
        let mut server = options.split_off(at.unwrap_or(options.len()));
        // The dashes themselves.
        server.drain(..server.len().min(1));
        Self {
            measured: !bench.is_empty(),
            options,
            server,
        }
    }
}

/// The word behind an option.
///
/// # Panics
/// Where there is none.
pub fn value<'w>(name: &str, words: &mut impl Iterator<Item = &'w String>) -> &'w str {
    let value = words.next();
    value.unwrap_or_else(|| panic!("{name}: the value is missing"))
}

/// The parts between commas.
pub fn list<T>(text: &str, part: impl Fn(&str) -> T) -> Vec<T> {
    text.split(',').map(part).collect()
}

/// A number.
///
/// # Panics
/// Where it is none.
pub fn number(text: &str) -> u32 {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// A number of seconds, as in 0.5.
///
/// # Panics
/// Where it is none.
pub fn seconds(text: &str) -> Duration {
    let seconds = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.unwrap_or_else(|| panic!("{text:?} is no number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_dashes_is_the_servers() {
        let split = |line: &str| Words::split(line.split_whitespace().map(str::to_owned));
        let words = split("--bench --rates 1,2 -- --idle spin");
        assert!(words.measured);
        assert_eq!(words.options, ["--rates", "1,2"]);
        assert_eq!(words.server, ["--idle", "spin"]);
        let words = split("--fifo");
        assert!(!words.measured && words.server.is_empty());
        assert_eq!(list("1,20", number), [1, 20]);
        assert_eq!(seconds("0.5"), Duration::from_millis(500));
    }
}
