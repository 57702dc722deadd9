//! The command line. Scripts rely on it: it only grows.

use super::idle::{self, Idle};
use super::{Io, LogFormat, LogStream, TailArguments, TopArguments};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// An authoritative DNS server on AF_XDP.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve in the foreground; says `ready` on stderr when answering
    Run(RunArguments),
    /// Check configuration and zones; exit 0, or 1 with file:line:column: message. With --interface
    /// look at host and interfaces too, and say what to do about them
    Check(RunArguments),
    /// Save zones as images, which are served at once
    Compile(CompileArguments),
    /// Talk to a running server
    Ctl(CtlArguments),
    /// Where clients are
    Geo(GeoArguments),
    /// Print what a shell needs to complete this command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print ripples(1), or write a man page for each command
    Man {
        /// Write them to this folder, which is made where it is missing
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Options of `run` and `check`; each overrides its counterpart in the file.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArguments {
    /// Read options from this TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Attach to this network interface (repeatable)
    #[arg(long, value_name = "IF")]
    pub interface: Vec<String>,
    /// Serve this address [default: 0.0.0.0:53 and [::]:53] (repeatable)
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<String>,
    /// How packets come in [default: auto]
    #[arg(long, value_enum)]
    pub io: Option<Io>,
    /// Serve this zone from this master file or saved image (repeatable)
    #[arg(long, value_name = "ORIGIN=FILE")]
    pub zone: Vec<String>,
    /// Serve the zones in this folder: its files ORIGIN.zone and ORIGIN.img
    #[arg(long, value_name = "DIR")]
    pub zones_dir: Option<PathBuf>,
    /// Read changed files only when asked to
    #[arg(long)]
    pub no_watch: bool,
    /// Read where clients are from this MaxMind database (repeatable)
    #[arg(long, value_name = "FILE")]
    pub geoip: Vec<PathBuf>,
    /// Workers on kernel sockets [default: 1]; with AF_XDP there is one per queue
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Pin workers to these CPUs, in turn, as in 0,2,4-7 [default: all that are allowed]
    #[arg(long, value_name = "LIST", value_parser = cpu_list)]
    pub cpus: Option<CpuList>,
    /// Most packets of one turn of the loop [default: 64]
    #[arg(long, value_name = "N")]
    pub vector_len: Option<usize>,
    /// What a worker does without work [default: adaptive]
    #[arg(long, value_enum)]
    pub idle: Option<Idle>,
    /// Microseconds of the pauses of --idle slowdown: the first 8, the next 8, and then all
    /// [default: 1,50,100]
    #[arg(long, value_name = "ONE,TWO,THREE", value_parser = idle::steps)]
    pub slowdown_us: Option<[usize; 3]>,
    /// Largest UDP reply in bytes [default: 1232]
    #[arg(long, value_name = "BYTES")]
    pub udp_size_max: Option<usize>,
    /// Control socket, or `none` [default: /run/ripples/control.sock for root]
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Permissions of the control socket [default: 0600; with --control-group 0660]
    #[arg(long, value_name = "MODE")]
    pub control_mode: Option<String>,
    /// Group of the control socket: its members may look
    #[arg(long, value_name = "GROUP")]
    pub control_group: Option<String>,
    /// Where metrics are told over HTTP, at `/metrics`
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// Take over from the server at the control socket, which drains and leaves; nothing is lost
    #[arg(long)]
    pub replace: bool,
    /// To measure the path: send every query that XDP steers back as it came, answer none
    #[arg(long)]
    pub reflect: bool,
    /// Log every decision of the kernel program
    #[arg(long)]
    pub xdp_debug: bool,
    /// Write every query and its answer to files in this folder, a JSON object a line
    #[arg(long, value_name = "DIR")]
    pub query_log: Option<PathBuf>,
    /// What to log, as in `info` or `info,ripples::health=debug` [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How messages are written [default: text]
    #[arg(long, value_enum)]
    pub log_format: Option<LogFormat>,
    /// Where messages go [default: auto]
    #[arg(long, value_enum)]
    pub log_target: Option<LogStream>,
    /// Append messages to this file
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// Options of `compile`.
#[derive(Clone, Debug, Default, Args)]
pub struct CompileArguments {
    /// Read zones from this TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Compile this zone from this master file (repeatable)
    #[arg(long, value_name = "ORIGIN=FILE")]
    pub zone: Vec<String>,
    /// Write the image to this file; or, in a folder, one for each zone to ORIGIN.img
    #[arg(long, value_name = "FILE|DIR")]
    pub output: PathBuf,
}

impl CompileArguments {
    /// What `check` would be told.
    pub fn run(&self) -> RunArguments {
        RunArguments {
            config: self.config.clone(),
            zone: self.zone.clone(),
            ..RunArguments::default()
        }
    }
}

/// CPUs in the order in which workers get them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// Highest CPU number that a list may name.
const CPU_MAX: usize = 8191;

/// Reads `0,2,4-7`, as the kernel writes it too.
pub fn cpu_list(text: &str) -> Result<CpuList, String> {
    let number = |text: &str| match text.trim().parse() {
        Ok(cpu) if cpu <= CPU_MAX => Ok(cpu),
        _ => Err(format!("{text:?} is no CPU number")),
    };
    let mut cpus = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => cpus.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(format!("{part:?} runs backwards"));
                }
                cpus.extend(first..=last);
            }
        }
    }
    Ok(CpuList(cpus))
}

/// Options of `ctl`.
#[derive(Debug, Args)]
pub struct CtlArguments {
    /// The server's control socket
    #[arg(long, value_name = "PATH", default_value = super::CONTROL_DEFAULT, global = true)]
    pub control: PathBuf,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// Wait so long for an answer, and no longer
    #[arg(long, value_name = "SECONDS", global = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
    /// What to ask
    #[command(subcommand)]
    pub command: CtlCommand,
}

/// What is to be marked.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct MarkArguments {
    /// Address, or NAME/REGION of a variant
    pub what: String,
    /// For so long only
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
}

/// What a running server can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum CtlCommand {
    /// What it serves, and how
    Status,
    /// What it has counted
    Stats,
    /// Read again what has changed: configuration, zones; and say when it is served
    Reload {
        /// Read only this zone, changed or not
        #[arg(value_name = "ZONE")]
        zone: Option<String>,
    },
    /// The zones: serial, file, and what is wrong with it
    Zones {
        /// Only this zone
        #[arg(value_name = "ZONE")]
        zone: Option<String>,
    },
    /// One zone
    Zone {
        /// What to do with it
        #[command(subcommand)]
        command: ZoneCommand,
    },
    /// Databases and maps of where clients are
    Geo {
        /// What else to find out
        #[command(subcommand)]
        command: Option<CtlGeoCommand>,
    },
    /// What is logged; or other levels, until the server ends
    LogLevel {
        /// LEVEL or TARGET=LEVEL, several with commas, as in `ripples::health=debug`
        #[arg(value_name = "LEVEL")]
        set: Option<String>,
    },
    /// What is done with DNS cookies, and how old their secret is
    Cookies {
        /// What to do with it
        #[command(subcommand)]
        command: Option<CookiesCommand>,
    },
    /// What is answered beside the zones' data, to whom, and how much of it
    Policy,
    /// Mark an address or a variant as down: it leaves the answers at once
    Down(MarkArguments),
    /// Mark an address or a variant as up, whatever the checks say
    Up(MarkArguments),
    /// Take a mark away: the file of marks and the checks say what is up
    Auto {
        /// Address, or NAME/REGION of a variant
        what: String,
    },
    /// What is checked or marked: up or down, since when, why
    Health,
    /// Show queries as they are answered
    Tail(TailArguments),
    /// Show what is most frequent: names, types, clients, response codes, countries
    Top(TopArguments),
    /// Start the binary anew, with `--replace`: a new release, or other options in the file
    Upgrade,
    /// Drain and leave
    Stop,
}

/// What can be done with one zone.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ZoneCommand {
    /// Its serial, file, state, size; or what a name of it answers
    Show(ZoneArguments),
    /// Read it, changed or not, and say when it is served
    Reload {
        /// The zone
        #[arg(value_name = "ZONE")]
        zone: String,
    },
}

/// What is asked of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ZoneArguments {
    /// The zone
    #[arg(value_name = "ZONE")]
    pub zone: String,
    /// A name in it
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The type of its records [default: all that it has]
    #[arg(value_name = "TYPE")]
    pub rtype: Option<String>,
    /// Ask for signatures and proofs too
    #[arg(long, requires = "name")]
    pub dnssec: bool,
}

/// What a running server can be asked about clients.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum CtlGeoCommand {
    /// The region that an address is in, in each map, and why
    Lookup(ClientArguments),
}

/// A client, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ClientArguments {
    /// The client's address
    #[arg(value_name = "ADDR")]
    pub address: IpAddr,
    /// The name that it asks for: says which variant it gets
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Ask for the client's network, as a resolver does: the first BITS of the address [default:
    /// 24 of IPv4, 56 of IPv6]
    #[arg(long, value_name = "BITS", num_args = 0..=1, require_equals = true)]
    pub subnet: Option<Option<u8>>,
}

/// What can be done with cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum CookiesCommand {
    /// Make cookies from another secret; those from the one before stay right until the next time
    Rotate,
}

/// Options of `geo`.
#[derive(Debug, Args)]
pub struct GeoArguments {
    /// What to find out
    #[command(subcommand)]
    pub command: GeoCommand,
}

/// What can be found out about clients.
#[derive(Clone, Debug, Subcommand)]
pub enum GeoCommand {
    /// The region that an address is in, in each map, and why
    Lookup(LookupArguments),
}

/// Options of `geo lookup`.
#[derive(Clone, Debug, Args)]
pub struct LookupArguments {
    /// Who is looked for
    #[command(flatten)]
    pub client: ClientArguments,
    /// Read maps, databases and zones from this TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read this zone from this master file (repeatable)
    #[arg(long, value_name = "ORIGIN=FILE")]
    pub zone: Vec<String>,
    /// Read the zones in this folder: its files ORIGIN.zone and ORIGIN.img
    #[arg(long, value_name = "DIR")]
    pub zones_dir: Option<PathBuf>,
    /// Read this MaxMind database instead of the file's (repeatable)
    #[arg(long, value_name = "FILE")]
    pub geoip: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl LookupArguments {
    /// What `check` would be told.
    pub fn run(&self) -> RunArguments {
        RunArguments {
            config: self.config.clone(),
            zone: self.zone.clone(),
            zones_dir: self.zones_dir.clone(),
            geoip: self.geoip.clone(),
            ..RunArguments::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn cpu_lists_have_numbers_and_ranges() {
        assert_eq!(cpu_list("0,2,4-6").unwrap().0, [0, 2, 4, 5, 6]);
        for bad in ["", "x", "3-1", "1,,2", "-1", "0-99999"] {
            assert!(cpu_list(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_option_given_twice_and_a_stray_word_are_refused() {
        for line in [
            "ripples run --io socket --io xdp",
            "ripples run --workers 1 --workers 2",
            "ripples run extra",
            "ripples run --workers x",
        ] {
            assert!(
                Arguments::try_parse_from(line.split(' ')).is_err(),
                "{line}"
            );
        }
    }
}
