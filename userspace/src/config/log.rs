//! `[log]`: what is logged, how it is written, and where to.

use super::{ConfigError, RunArguments};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line to read: time, level, target, message, fields.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Where messages go that do not go to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogStream {
    /// To journald where standard error is its, else to standard error.
    #[default]
    Auto,
    /// To standard error.
    Stderr,
    /// To journald by its own protocol.
    Journald,
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// To what the process was started with, or to journald.
    Stream(LogStream),
    /// To the end of this file.
    File(PathBuf),
}

/// How messages are written, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOutput {
    /// How.
    pub format: LogFormat,
    /// Where to.
    pub target: LogTarget,
    /// A file that would get larger, in bytes, is put aside; 0: it grows.
    pub file_size_max: u64,
    /// Files put aside that are kept.
    pub keep: usize,
    /// Messages of one place in hot threads within a window, before they are only counted; 0: all.
    pub burst: u32,
    /// The window in seconds.
    pub window_s: u32,
}

impl Default for LogOutput {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            target: LogTarget::Stream(LogStream::default()),
            // Some days of a busy server's messages, or a minute of an error in a loop.
            file_size_max: 100 << 20,
            keep: 5,
            // Enough to see what it is about; ten lines a second fill no disk unnoticed.
            burst: 100,
            window_s: 10,
        }
    }
}

/// `[log]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogOptions {
    pub(super) filter: Option<String>,
    format: Option<LogFormat>,
    target: Option<LogStream>,
    file: Option<PathBuf>,
    file_size_max: Option<usize>,
    keep: Option<usize>,
    burst: Option<usize>,
    window_s: Option<usize>,
}

/// Reads `log = "FILTER"` as well, which is the table with nothing but a filter.
pub(super) fn filter_or_table<'de, D>(deserializer: D) -> Result<LogOptions, D::Error>
where
    D: Deserializer<'de>,
{
    struct Either;

    impl<'de> Visitor<'de> for Either {
        type Value = LogOptions;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a filter, as in \"info\", or the table [log]")
        }

        fn visit_str<E: de::Error>(self, filter: &str) -> Result<LogOptions, E> {
            Ok(LogOptions {
                filter: Some(filter.to_owned()),
                ..LogOptions::default()
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LogOptions, A::Error> {
            LogOptions::deserialize(MapAccessDeserializer::new(map))
        }
    }

    // An untagged enum would not say where in the file an error is.
    deserializer.deserialize_any(Either)
}

/// A relative path starts at the folder of the configuration file.
pub(super) fn resolve(options: &mut LogOptions, folder: &Path) {
    options.file = options.file.take().map(|file| folder.join(file));
}

/// What is logged.
pub(super) fn filter(arguments: &RunArguments, file: LogOptions) -> String {
    let filter = arguments.log.clone().or(file.filter);
    filter.unwrap_or_else(|| "info".to_owned())
}

/// The command line over the file over defaults.
pub(super) fn check(arguments: &RunArguments, file: &LogOptions) -> Result<LogOutput, ConfigError> {
    let defaults = LogOutput::default();
    let file_size_max = super::ranged(
        "log.file_size_max",
        file.file_size_max,
        0..=SIZE_MAX,
        100 << 20,
    )?;
    if (1..SIZE_MIN).contains(&file_size_max) {
        let problem = format!("{file_size_max} is neither 0 nor from {SIZE_MIN} on");
        return Err(ConfigError::option("log.file_size_max", problem));
    }
    let number = |option, value, range, default: u32| {
        let value = super::ranged(option, value, range, default as usize)?;
        Ok(u32::try_from(value).unwrap_or(default))
    };
    Ok(LogOutput {
        format: arguments.log_format.or(file.format).unwrap_or_default(),
        target: target(arguments, file)?,
        file_size_max: file_size_max as u64,
        keep: super::ranged("log.keep", file.keep, 0..=1000, defaults.keep)?,
        burst: number("log.burst", file.burst, 0..=1_000_000, defaults.burst)?,
        window_s: number("log.window_s", file.window_s, 1..=3600, defaults.window_s)?,
    })
}

/// Less would be a rotation every few lines.
const SIZE_MIN: usize = 4096;
/// A tebibyte.
const SIZE_MAX: usize = 1 << 40;

fn target(arguments: &RunArguments, file: &LogOptions) -> Result<LogTarget, ConfigError> {
    let given = [
        (
            "--log-target, --log-file",
            arguments.log_target,
            &arguments.log_file,
        ),
        ("log.target, log.file", file.target, &file.file),
    ];
    for (options, stream, path) in given {
        match (stream, path) {
            (Some(_), Some(_)) => return Err(ConfigError::option(options, "only one of them")),
            (Some(stream), None) => return Ok(LogTarget::Stream(stream)),
            (None, Some(path)) => return Ok(LogTarget::File(path.clone())),
            (None, None) => {}
        }
    }
    Ok(LogTarget::Stream(LogStream::default()))
}
