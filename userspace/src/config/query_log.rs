//! `[[query_log]]`: which queries are written down, how, and where to.

use super::{ConfigError, FilterText, ranged};
use crate::querylog::{
    ANSWERS, BUFFER_LEN_MIN, FileOptions, Filter, Format, Output, Place, SocketAddress, TAPS_MAX,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The query logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryLogOptions {
    /// Each of them.
    pub outputs: Vec<Output>,
    /// Bytes of each of a worker's two buffers.
    pub buffer_len: usize,
}

/// `[[query_log]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct QueryLog {
    format: Form,
    folder: Option<PathBuf>,
    socket: Option<String>,
    name: Option<String>,
    rotate_size: Option<usize>,
    rotate_seconds: Option<usize>,
    compress: bool,
    answers: Option<usize>,
    sample: Option<usize>,
    names: Vec<String>,
    exact_names: Vec<String>,
    types: Vec<String>,
    rcodes: Vec<String>,
    networks: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    #[default]
    Json,
    Dnstap,
    Pcap,
}

/// The most that a number may be.
const MANY: usize = u32::MAX as usize;

/// Relative paths start at the folder that the file is in.
pub(super) fn resolve(logs: &mut [QueryLog], folder: &Path) {
    for log in logs {
        log.folder = log.folder.take().map(|path| folder.join(path));
        if let Some(path) = log
            .socket
            .as_deref()
            .and_then(|text| text.strip_prefix("unix:"))
        {
            log.socket = Some(format!("unix:{}", folder.join(path).display()));
        }
    }
}

/// Checks the sections, and the folder of the command line.
pub(super) fn check(
    logs: &[QueryLog],
    folder: Option<&Path>,
    buffer_len: Option<usize>,
) -> Result<QueryLogOptions, ConfigError> {
    let short = folder.map(|folder| {
        let log = QueryLog {
            folder: Some(folder.to_owned()),
            ..QueryLog::default()
        };
        log.output("--query-log")
    });
    let listed = logs.iter().map(|log| log.output("query_log"));
    let outputs: Vec<Output> = short.into_iter().chain(listed).collect::<Result<_, _>>()?;
    // The others are for those who look on for a while.
    if outputs.len() > TAPS_MAX / 2 {
        let problem = format!("there are {}, and at most {}", outputs.len(), TAPS_MAX / 2);
        return Err(ConfigError::option("query_log", problem));
    }
    for (at, output) in outputs.iter().enumerate() {
        if outputs[..at].iter().any(|other| collide(other, output)) {
            let problem = "two of them have the same folder and name, or the same socket";
            return Err(ConfigError::option("query_log", problem));
        }
    }
    Ok(QueryLogOptions {
        outputs,
        buffer_len: ranged(
            "query_log_buffer_size",
            buffer_len,
            BUFFER_LEN_MIN..=1 << 30,
            6_553_500,
        )?,
    })
}

/// Whether two logs would go to one place.
fn collide(one: &Output, other: &Output) -> bool {
    match (&one.place, &other.place) {
        (Place::Files(one), Place::Files(other)) => {
            one.folder == other.folder && one.name == other.name
        }
        (Place::Socket(one), Place::Socket(other)) => one == other,
        _ => false,
    }
}

impl QueryLog {
    fn output(&self, section: &str) -> Result<Output, ConfigError> {
        let option = |key: &str| format!("{section}.{key}");
        let is_json = self.format == Form::Json;
        if self.answers.is_some() && !is_json {
            let problem = "only JSON has a choice; the others have whole messages";
            return Err(ConfigError::option(option("answers"), problem));
        }
        let answers = ranged(&option("answers"), self.answers, 0..=100, ANSWERS)?;
        let sample = ranged(&option("sample"), self.sample, 1..=MANY, 1)?;
        Ok(Output {
            format: match self.format {
                Form::Json => Format::Json { answers },
                Form::Dnstap => Format::Dnstap,
                Form::Pcap => Format::Pcap,
            },
            place: self.place(option)?,
            filter: self.filter(option)?,
            sample: u32::try_from(sample).unwrap_or(u32::MAX),
        })
    }

    fn place(&self, option: impl Fn(&str) -> String) -> Result<Place, ConfigError> {
        match (&self.folder, &self.socket) {
            (Some(folder), None) => self.files(folder, option).map(Place::Files),
            (None, Some(text)) => self.socket(text, option).map(Place::Socket),
            _ => {
                let problem = "it needs either a folder or a socket";
                Err(ConfigError::option(option("folder"), problem))
            }
        }
    }

    fn files(
        &self,
        folder: &Path,
        option: impl Fn(&str) -> String,
    ) -> Result<FileOptions, ConfigError> {
        let name = self.name.as_deref().unwrap_or("dns_query_log");
        if name.is_empty() || name.contains('/') {
            let problem = format!("{name:?} is no beginning of a file's name");
            return Err(ConfigError::option(option("name"), problem));
        }
        let size = ranged(
            &option("rotate_size"),
            self.rotate_size,
            1..=usize::MAX,
            50_000_000,
        )?;
        let seconds = ranged(&option("rotate_seconds"), self.rotate_seconds, 0..=MANY, 0)?;
        Ok(FileOptions {
            folder: folder.to_owned(),
            name: name.to_owned(),
            rotate_size: size as u64,
            rotate_time: (seconds != 0).then(|| Duration::from_secs(seconds as u64)),
            compress: self.compress,
        })
    }

    fn socket(
        &self,
        text: &str,
        option: impl Fn(&str) -> String,
    ) -> Result<SocketAddress, ConfigError> {
        let refuse = |problem: &str| Err(ConfigError::option(option("socket"), problem));
        if self.format != Form::Dnstap {
            return refuse("only dnstap goes to a socket");
        }
        let strange = [
            ("name", self.name.is_some()),
            ("rotate_size", self.rotate_size.is_some()),
            ("rotate_seconds", self.rotate_seconds.is_some()),
            ("compress", self.compress),
        ];
        if let Some((key, _)) = strange.iter().find(|(_, is_there)| *is_there) {
            let problem = "is for files, and this log goes to a socket";
            return Err(ConfigError::option(option(key), problem));
        }
        let tcp = |text: &str| text.parse().ok().map(SocketAddress::Tcp);
        match text.split_once(':') {
            Some(("unix", path)) if !path.is_empty() => Ok(SocketAddress::Unix(path.into())),
            Some(("tcp", address)) => match tcp(address) {
                Some(address) => Ok(address),
                None => refuse("it is not tcp:ADDR:PORT, as in tcp:192.0.2.1:6000"),
            },
            _ => refuse("it is neither unix:PATH nor tcp:ADDR:PORT"),
        }
    }

    fn filter(&self, option: impl Fn(&str) -> String) -> Result<Filter, ConfigError> {
        let text = FilterText {
            names: self.names.clone(),
            exact_names: self.exact_names.clone(),
            types: self.types.clone(),
            rcodes: self.rcodes.clone(),
            networks: self.networks.clone(),
        };
        text.filter(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<QueryLogOptions, String> {
        #[derive(Deserialize)]
        struct File {
            query_log: Vec<QueryLog>,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        check(&file.query_log, None, None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_is_all_it_takes() {
        let expected = Output {
            format: Format::Json { answers: 10 },
            place: Place::Files(FileOptions {
                folder: "logs".into(),
                name: "dns_query_log".to_owned(),
                rotate_size: 50_000_000,
                rotate_time: None,
                compress: false,
            }),
            filter: Filter::default(),
            sample: 1,
        };
        let listed = options("[[query_log]]\nfolder = \"logs\"").unwrap();
        assert_eq!(listed.outputs, std::slice::from_ref(&expected));
        assert_eq!(listed.buffer_len, 6_553_500);
        let short = check(&[], Some(Path::new("logs")), None).unwrap();
        assert_eq!(short.outputs, [expected]);
    }

    #[test]
    fn everything_can_be_said() {
        let text = r#"
            [[query_log]]
            format = "pcap"
            folder = "/var/log"
            name = "dns"
            rotate_size = 1000
            rotate_seconds = 60
            compress = true
            sample = 100
            names = ["Example.org", "."]
            exact_names = ["www.Example.com"]
            types = ["aaaa", "TYPE65"]
            rcodes = ["NXDOMAIN", "badvers"]
            networks = ["192.0.2.0/24"]
            [[query_log]]
            format = "dnstap"
            socket = "tcp:[::1]:6000"
        "#;
        let options = options(text).unwrap();
        let [file, socket] = &options.outputs[..] else {
            panic!("{options:?}");
        };
        assert_eq!((file.format, file.sample), (Format::Pcap, 100));
        let filter = Filter {
            names: vec![b"\x07example\x03org\0".to_vec(), b"\0".to_vec()],
            exact_names: vec![b"\x03www\x07example\x03com\0".to_vec()],
            types: vec![28, 65],
            rcodes: vec![3, 16],
            networks: vec!["192.0.2.0/24".parse().unwrap()],
        };
        assert_eq!(file.filter, filter);
        let address = SocketAddress::Tcp("[::1]:6000".parse().unwrap());
        assert_eq!(socket.place, Place::Socket(address));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (text, problem) in [
            ("", "query_log.folder: "),
            ("folder = \"x\"\nsocket = \"unix:/y\"", "query_log.folder: "),
            ("socket = \"unix:/y\"", "query_log.socket: only dnstap"),
            (
                "format = \"dnstap\"\nsocket = \"udp:1\"",
                "query_log.socket: ",
            ),
            (
                "format = \"dnstap\"\nsocket = \"tcp:x:1\"",
                "query_log.socket: ",
            ),
            (
                "format = \"dnstap\"\nsocket = \"unix:/y\"\ncompress = true",
                "query_log.compress: ",
            ),
            (
                "format = \"pcap\"\nfolder = \"x\"\nanswers = 1",
                "query_log.answers: ",
            ),
            ("folder = \"x\"\nname = \"a/b\"", "query_log.name: "),
            (
                "folder = \"x\"\nsample = 0",
                "query_log.sample: 0 is not within",
            ),
            ("folder = \"x\"\ntypes = [\"AAAAA\"]", "query_log.types: "),
            ("folder = \"x\"\nrcodes = [\"NX\"]", "query_log.rcodes: "),
            ("folder = \"x\"\nnames = [\"a..b\"]", "query_log.names: "),
            (
                "folder = \"x\"\nnetworks = [\"192.0.2.1/24\"]",
                "query_log.networks: ",
            ),
            (
                "folder = \"x\"\n[[query_log]]\nfolder = \"x\"",
                "query_log: two of them",
            ),
            ("foldre = \"x\"", "unknown field"),
        ] {
            let text = format!("[[query_log]]\n{text}");
            let error = options(&text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
