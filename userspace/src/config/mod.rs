//! What the operator wants: command line over TOML file over defaults, checked before anything
//! runs.

mod answers;
mod arguments;
mod control;
mod file;
mod filter;
mod geo;
mod guards;
mod health;
mod idle;
mod live;
mod log;
mod names;
mod networks;
mod next_hop;
mod query_log;
mod stream_arguments;
mod verify;
mod vlan;

pub use answers::{Answers, CookiePolicy};
pub use arguments::{Arguments, Command, CompileArguments, CtlArguments, CtlCommand, cpu_list};
pub use arguments::{ClientArguments, CookiesCommand, CtlGeoCommand, ZoneArguments, ZoneCommand};
pub use arguments::{GeoArguments, GeoCommand, LookupArguments, MarkArguments, RunArguments};
pub use control::{Admin, ControlOptions};
pub use filter::FilterText;
pub use geo::{GeoOptions, MapOptions, RegionOptions};
pub use guards::{GuardOptions, RateOptions};
pub use health::{CheckKind, CheckOptions, HealthOptions};
pub use idle::Idle;
pub use log::{LogFormat, LogOutput, LogStream, LogTarget};
pub use next_hop::NextHopBy;
pub use query_log::QueryLogOptions;
pub use stream_arguments::{FilterArguments, FilterWord, TailArguments, TopArguments, TopList};
pub use verify::Verify;
pub use vlan::VlanTags;

use crate::idle::Policy;
use crate::name;
use crate::tcp::TcpConfig;
use file::File;
use serde::Deserialize;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the control socket is unless configured.
pub const CONTROL_DEFAULT: &str = "/run/ripples/control.sock";

/// How packets come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Io {
    /// AF_XDP at its best, down to kernel sockets when nothing else works.
    #[default]
    Auto,
    /// AF_XDP in the driver or in generic mode, or an error.
    Xdp,
    /// AF_XDP in the driver with zero-copy, or an error.
    XdpZeroCopy,
    /// AF_XDP in the driver with copy mode, or an error.
    XdpCopy,
    /// AF_XDP in generic mode, or an error.
    XdpGeneric,
    /// Kernel sockets.
    Socket,
}

/// A zone and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneSource {
    /// The apex in lowered wire form.
    pub origin: Vec<u8>,
    /// The master file, or a saved image.
    pub file: PathBuf,
}

/// The checked configuration of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Interfaces to attach to.
    pub interfaces: Vec<String>,
    /// The VLAN tags that replies to untagged queries get, by interface.
    pub vlan: VlanTags,
    /// Addresses and ports that are served.
    pub listen: Vec<SocketAddr>,
    /// How packets come in.
    pub io: Io,
    /// What a worker does when there is nothing to do.
    pub idle: Policy,
    /// Worker threads on kernel sockets; with AF_XDP there is one per queue.
    pub workers: usize,
    /// CPUs that the workers are pinned to, in turn; none: every CPU that the process may use.
    pub cpus: Vec<usize>,
    /// Most frames of one turn.
    pub vector_len: usize,
    /// Whether UDP is served.
    pub udp: bool,
    /// TCP, its limits and timeouts.
    pub tcp: TcpConfig,
    /// What is answered beside the zones' data.
    pub answers: Answers,
    /// Largest UDP reply in bytes.
    pub udp_size_max: u16,
    /// Whether checksums of packets that come by AF_XDP are verified.
    pub verify_checksums: Verify,
    /// Where replies go by AF_XDP.
    pub next_hop: NextHopBy,
    /// Receive buffer of UDP kernel sockets in bytes.
    pub udp_receive_buffer: usize,
    /// Send buffer of UDP kernel sockets in bytes.
    pub udp_send_buffer: usize,
    /// Whether AF_XDP workers send every frame back instead of answering it, to be measured.
    pub reflect: bool,
    /// The control socket; none: there is none.
    pub control: Option<PathBuf>,
    /// Who may do what there.
    pub control_access: ControlOptions,
    /// Where metrics are told over HTTP; none: nowhere.
    pub http: Option<SocketAddr>,
    /// The most zones whose queries are counted one by one; 0: none are.
    pub zone_metrics: usize,
    /// Whether the server at the control socket is to be replaced.
    pub replace: bool,
    /// Whether the kernel program logs what it decides.
    pub xdp_debug: bool,
    /// Log filter, as `tracing` reads it.
    pub log: String,
    /// How messages are written, and where to.
    pub log_output: LogOutput,
    /// The zones.
    pub zones: Vec<ZoneSource>,
    /// A folder with further zones, one file each.
    pub zones_dir: Option<PathBuf>,
    /// Whether files that have changed are read again without being asked to.
    pub watch: bool,
    /// Where clients are.
    pub geo: GeoOptions,
    /// Who is answered, and how much.
    pub guards: GuardOptions,
    /// Which addresses can be down, and why.
    pub health: HealthOptions,
    /// Which queries are written down.
    pub query_log: QueryLogOptions,
}

/// What is wrong with the configuration, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The configuration file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not what it should be; says line and column.
    #[error("{0}")]
    Syntax(String),
    /// An option has a value that it cannot have.
    #[error("{option}: {problem}")]
    Option {
        /// As it was written.
        option: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl ConfigError {
    fn option(option: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Option {
            option: option.into(),
            problem: problem.into(),
        }
    }
}

impl Config {
    /// Reads the file that the arguments name, if any, and lays the arguments over it.
    pub fn load(arguments: &RunArguments) -> Result<Self, ConfigError> {
        let file = match &arguments.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        Self::merge(arguments, file)
    }

    fn merge(arguments: &RunArguments, file: File) -> Result<Self, ConfigError> {
        let interfaces = first_filled([&arguments.interface, &file.interfaces]);
        let io = arguments.io.or(file.io).unwrap_or_default();
        if interfaces.is_empty() && !matches!(io, Io::Auto | Io::Socket) {
            return Err(ConfigError::option("--io", "AF_XDP needs an --interface"));
        }
        if arguments.reflect && (interfaces.is_empty() || io == Io::Socket) {
            let problem = "only what XDP steers is sent back: it needs an --interface and AF_XDP";
            return Err(ConfigError::option("--reflect", problem));
        }
        let vector_len = arguments.vector_len.or(file.vector_len);
        let listen = listen(&first_filled([&arguments.listen, &file.listen]))?;
        let tcp = TcpConfig {
            listen: listen.clone(),
            ..file.tcp
        };
        tcp.check()
            .map_err(|error| ConfigError::Syntax(error.to_string()))?;
        let config = Self {
            listen,
            tcp,
            answers: answers::check(&file.edns, &file.cookies, &file.chaos, file.geo.weighted)?,
            interfaces,
            vlan: vlan::check(file.vlan)?,
            io,
            idle: idle::check(
                [arguments.idle, file.idle],
                [arguments.slowdown_us, file.slowdown_us],
            )?,
            workers: ranged("--workers", arguments.workers.or(file.workers), 1..=1024, 1)?,
            cpus: first_filled([&arguments.cpus.clone().unwrap_or_default().0, &file.cpus]),
            // 64 frames: 32 already hide the memory's latency, twice that costs a core's L1
            // nothing.
            vector_len: ranged("--vector-len", vector_len, 1..=256, 64)?,
            udp: file.udp.enable.unwrap_or(true),
            udp_size_max: udp_size_max(arguments.udp_size_max.or(file.udp.size_max))?,
            verify_checksums: file.udp.verify_checksums,
            next_hop: file.udp.next_hop,
            udp_receive_buffer: buffer("udp.receive_buffer", file.udp.receive_buffer)?,
            udp_send_buffer: buffer("udp.send_buffer", file.udp.send_buffer)?,
            reflect: arguments.reflect,
            control: control::path(arguments, file.control.path.as_deref()),
            control_access: control::check(arguments, &file.control)?,
            http: arguments.http.or(file.http),
            zone_metrics: ranged("zone_metrics", file.zone_metrics, 0..=1_000_000, 0)?,
            replace: arguments.replace,
            xdp_debug: arguments.xdp_debug || file.xdp_debug.unwrap_or(false),
            log_output: log::check(arguments, &file.log)?,
            log: log::filter(arguments, file.log),
            zones: zones(arguments, &file.zone)?,
            zones_dir: arguments.zones_dir.clone().or(file.zones_dir),
            watch: !arguments.no_watch && file.watch.unwrap_or(true),
            geo: geo::check(&arguments.geoip, &file.geo)?,
            guards: guards::check(&file.access, &file.rate_limit)?,
            health: health::check(&file.health)?,
            query_log: query_log::check(
                &file.query_log,
                arguments.query_log.as_deref(),
                file.query_log_buffer_size,
            )?,
        };
        if config.udp || config.tcp.enable {
            return Ok(config);
        }
        let option = "udp.enable, tcp.enable";
        Err(ConfigError::option(option, "one of them must be true"))
    }
}

/// The list that overrides: the first that has anything in it.
fn first_filled<T: Clone>(lists: [&[T]; 2]) -> Vec<T> {
    lists
        .into_iter()
        .find(|list| !list.is_empty())
        .unwrap_or_default()
        .to_vec()
}

/// A number in its range, or its default.
fn ranged(
    option: &str,
    value: Option<usize>,
    range: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize, ConfigError> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    let problem = format!("{value} is not within {}–{}", range.start(), range.end());
    Err(ConfigError::option(option, problem))
}

fn udp_size_max(value: Option<usize>) -> Result<u16, ConfigError> {
    // Below 512 no resolver expects it (RFC 1035 §4.2.1); 4096 fills a frame.
    let size = ranged("--udp-size-max", value, 512..=4096, 1232)?;
    Ok(u16::try_from(size).unwrap_or(1232))
}

fn buffer(option: &str, value: Option<usize>) -> Result<usize, ConfigError> {
    ranged(option, value, 518..=16_777_215, 1_048_575)
}

/// The addresses to serve; by default all of the host's, port 53.
fn listen(texts: &[String]) -> Result<Vec<SocketAddr>, ConfigError> {
    let mut addresses = Vec::new();
    let defaults = ["0.0.0.0:53".to_owned(), "[::]:53".to_owned()];
    for text in if texts.is_empty() { &defaults } else { texts } {
        let address: SocketAddr = text.parse().map_err(|_| {
            let problem =
                format!("{text:?} is not ADDR:PORT, as in 192.0.2.1:53 or [2001:db8::1]:53");
            ConfigError::option("--listen", problem)
        })?;
        if address.port() == 0 {
            return Err(ConfigError::option(
                "--listen",
                format!("{text}: port 0 cannot be asked"),
            ));
        }
        if addresses.contains(&address) {
            return Err(ConfigError::option(
                "--listen",
                format!("{text} is given twice"),
            ));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

/// The zones of the arguments and the file; an argument replaces the file's zone of that name.
fn zones(arguments: &RunArguments, file: &[file::Zone]) -> Result<Vec<ZoneSource>, ConfigError> {
    let mut zones: Vec<ZoneSource> = Vec::new();
    let (mut given, mut listed) = (HashSet::new(), HashSet::new());
    for text in &arguments.zone {
        let (origin, path) = text.split_once('=').ok_or_else(|| {
            let problem =
                format!("{text:?} is not ORIGIN=FILE, as in example.com=example.com.zone");
            ConfigError::option("--zone", problem)
        })?;
        let zone = zone(&format!("--zone {text}"), origin, path.into())?;
        if !given.insert(zone.origin.clone()) {
            return Err(ConfigError::option(
                "--zone",
                format!("{origin} is given twice"),
            ));
        }
        zones.push(zone);
    }
    for entry in file {
        let zone = zone("zone.origin", &entry.origin, entry.file.clone())?;
        if given.contains(&zone.origin) {
            continue;
        }
        if !listed.insert(zone.origin.clone()) {
            let problem = format!("{} is given twice", entry.origin);
            return Err(ConfigError::option("zone.origin", problem));
        }
        zones.push(zone);
    }
    Ok(zones)
}

fn zone(option: &str, origin: &str, file: PathBuf) -> Result<ZoneSource, ConfigError> {
    if file.as_os_str().is_empty() {
        return Err(ConfigError::option(option, "the file's name is missing"));
    }
    let origin = name::lowered_from_text(origin)
        .map_err(|error| ConfigError::option(option, format!("{origin:?} is no name: {error}")))?;
    Ok(ZoneSource { origin, file })
}
