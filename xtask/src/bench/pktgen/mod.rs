//! `cargo xtask bench pktgen`: the kernel's packet generator, configured, run and counted.

mod configuration;
mod counters;
mod generator;
mod interface;
mod span;
mod table;

use crate::install::Installer;
use crate::{output, packages, shell};
use anyhow::{Context, Result, bail};
use clap::Args;
use configuration::Configuration;
use counters::Counters;
use generator::Generator;
use interface::{Interface, Mac};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use span::Span;
use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use table::Table;

/// How often counters are read.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the last packets may be under way.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// What to send, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Interface to send from
    #[arg(long, value_name = "IF")]
    interface: String,
    /// Address of the server
    #[arg(long, value_name = "ADDRESS")]
    dst: IpAddr,
    /// Its MAC address, or the router's [default: as the neighbour table has it]
    #[arg(long, value_name = "MAC")]
    mac: Option<Mac>,
    /// Port of the server
    #[arg(long, value_name = "PORT", default_value_t = 53)]
    port: u16,
    /// Addresses to send from, as in 198.18.0.1-198.18.0.254; of IPv6 only one [default: the
    /// interface's]
    #[arg(long, value_name = "A[-B]")]
    src: Option<Span<IpAddr>>,
    /// UDP ports to send from, each a flow that RSS may send to another queue
    #[arg(long, value_name = "A[-B]", default_value = "1024-65534")]
    ports: Span<u16>,
    /// Take addresses, ports and sizes in order instead of at random
    #[arg(long)]
    in_order: bool,
    /// Bytes of a frame without its check sequence, as in 80 or 60-512 [default: the least]
    #[arg(long, value_name = "A[-B]")]
    size: Option<Span<u32>>,
    /// Have the checksum of UDP over IPv4 computed as well; over IPv6 it always is
    #[arg(long)]
    checksum: bool,
    /// CPUs to send from, a thread each [default: one for each queue that the interface sends from]
    #[arg(long, value_name = "A[-B]")]
    cpus: Option<Span<u32>>,
    /// Queues to send from, one per thread in turn [default: the CPU's]
    #[arg(long, value_name = "A[-B]")]
    queues: Option<Span<u16>>,
    /// Packets a second of all threads together [default: what they can]
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// End after so many packets
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    count: Option<u64>,
    /// End after so many seconds; 0: with Ctrl-C
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Packets handed to the driver at once, copies of one another
    #[arg(long, value_name = "N", default_value_t = 1)]
    burst: u32,
    /// Send each packet so many times again: faster, and fewer flows a second
    #[arg(long, value_name = "N", default_value_t = 0)]
    clones: u32,
    /// What asks the server for its counters, as in 'ssh server ripples ctl stats --json'
    #[arg(long, value_name = "COMMAND")]
    stats: Option<String>,
    /// Print nothing but JSON lines on stdout
    #[arg(long)]
    json: bool,
    /// Print the configuration as shell commands, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Configures, sends, counts.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    let sys = Path::new("/sys");
    let interface = Interface::open(sys, &options.interface)?;
    let cpus = cpus(options, &interface, &interface::cpus(sys)?)?;
    let mac = match options.mac {
        Some(mac) => mac,
        None => {
            installer.ensure(&[packages::DEMO])?;
            interface.neighbour(options.dst)?
        }
    };
    let configuration = Configuration::new(options, mac, &cpus)?;
    if options.dry_run {
        output::result(configuration.to_string().trim_end());
        return Ok(());
    }
    if !shell::is_root() {
        bail!("pktgen needs root: sudo -E env \"PATH=$PATH\" cargo xtask bench pktgen …");
    }
    let generator = Generator::open(Path::new(configuration::FOLDER))?;
    generator.configure(&configuration)?;
    let counters = Counters {
        generator: &generator,
        devices: &configuration.devices,
        interface: &interface,
        server: options.stats.as_deref(),
    };
    let driver = interface.driver_counters();
    measure(options, &counters)?;
    if !options.json {
        show_driver(&driver, &interface.driver_counters());
    }
    Ok(())
}

/// The CPUs that send, of those that are there.
fn cpus(options: &Options, interface: &Interface, online: &[u32]) -> Result<Vec<u32>> {
    let Some(wanted) = options.cpus else {
        let queues = interface.send_queues().max(1);
        return Ok(online.iter().copied().take(queues).collect());
    };
    let cpus: Vec<u32> = (wanted.first..=wanted.last).collect();
    if let Some(missing) = cpus.iter().find(|cpu| !online.contains(cpu)) {
        bail!("--cpus: there is no CPU {missing}");
    }
    Ok(cpus)
}

/// What may end a run before its time.
enum End {
    /// Somebody wants it to.
    Signal,
    /// `start` has returned.
    Sent(Result<()>),
}

/// Sends, and shows what is counted, until the end.
fn measure(options: &Options, counters: &Counters<'_>) -> Result<()> {
    let (sender, ends) = mpsc::channel();
    watch_signals(sender.clone())?;
    output::step("Sending", format!("from {}", counters.devices.join(", ")));
    let mut table = Table::new(counters.sample()?, options.json);
    let control = counters.generator.control();
    let (start, stop) = (control.clone(), control);
    let sending = std::thread::spawn(move || {
        // Returns when all has been sent. Nobody listens after the deadline.
        drop(sender.send(End::Sent(generator::write(&start, "start"))));
    });
    let outcome = follow(options, counters, &ends, &mut table);
    generator::write(&stop, "stop")?;
    drop(sending.join());
    outcome?;
    std::thread::park_timeout(STRAGGLERS);
    table.end(&counters.sample()?);
    Ok(())
}

/// Shows a row each second.
fn follow(
    options: &Options,
    counters: &Counters<'_>,
    ends: &Receiver<End>,
    table: &mut Table,
) -> Result<()> {
    let start = Instant::now();
    let has_deadline = options.count.is_none() && options.seconds > 0;
    let deadline = has_deadline.then(|| start + Duration::from_secs(options.seconds));
    let mut next = start + INTERVAL;
    loop {
        match ends.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(End::Signal) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            // Where a thread is slow to begin, `start` returns before it has.
            Ok(End::Sent(outcome)) => outcome.context("pktgen did not start")?,
            Err(RecvTimeoutError::Timeout) => {
                table.add(counters.sample()?);
                if deadline.is_some_and(|deadline| next >= deadline) {
                    return Ok(());
                }
                next += INTERVAL;
            }
        }
        let progress = counters.generator.progress(counters.devices)?;
        if options.count.is_some_and(|count| progress.sent >= count) {
            return Ok(());
        }
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP are messages instead of ends.
fn watch_signals(sender: Sender<End>) -> Result<()> {
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.context("could not watch for signals")?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(End::Signal).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Prints what the driver counted meanwhile, each under the driver's own name.
fn show_driver(before: &[(String, u64)], after: &[(String, u64)]) {
    for (name, count) in after {
        let earlier = before.iter().find(|counter| counter.0 == *name);
        let earlier = earlier.map_or(0, |counter| counter.1);
        if *count > earlier {
            output::result(format!("{:>12}  {name}", count - earlier));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;
    use std::path::PathBuf;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    /// The options that these words are, for the interface `eth1`.
    pub(super) fn options(words: &[&str]) -> Options {
        let words = ["pktgen", "--interface", "eth1"].iter().chain(words);
        Arguments::try_parse_from(words).unwrap().options
    }

    /// Folders that look like /sys and /proc/net/pktgen, with an interface `eth1`.
    pub(super) struct Fake(PathBuf);

    impl Fake {
        pub(super) fn new(name: &str) -> Self {
            let name = format!("ripples-pktgen-{name}-{}", std::process::id());
            let fake = Self(std::env::temp_dir().join(name));
            let device = "Current:\n     pkts-sofar: N  errors: E\nResult: OK: x\n";
            let device = |sent, errors| device.replace('N', sent).replace('E', errors);
            let thread = "Running: \nStopped: \nResult: NA\n";
            for (path, text) in [
                ("pktgen/pgctrl", ""),
                ("pktgen/kpktgend_0", thread),
                ("pktgen/kpktgend_1", thread),
                ("pktgen/eth1@0", &device("1000000", "1")),
                ("pktgen/eth1@1", &device("7", "2")),
                ("sys/devices/system/cpu/online", "0-1,4\n"),
                ("sys/class/net/eth1/type", "1\n"),
                ("sys/class/net/eth1/flags", "0x1003\n"),
                ("sys/class/net/eth1/carrier", "1\n"),
                ("sys/class/net/eth1/queues/rx-0/rps_cpus", "0\n"),
                ("sys/class/net/eth1/queues/tx-0/xps_cpus", "1\n"),
                ("sys/class/net/eth1/queues/tx-1/xps_cpus", "2\n"),
                ("sys/class/net/eth1/statistics/tx_packets", "1000\n"),
                ("sys/class/net/eth1/statistics/rx_packets", "900\n"),
                ("sys/class/net/eth1/statistics/tx_dropped", "2\n"),
                ("sys/class/net/eth1/statistics/rx_dropped", "3\n"),
                ("sys/class/net/eth1/statistics/rx_missed_errors", "5\n"),
            ] {
                fake.write(path, text);
            }
            fake
        }

        pub(super) fn pktgen(&self) -> PathBuf {
            self.0.join("pktgen")
        }

        pub(super) fn sys(&self) -> PathBuf {
            self.0.join("sys")
        }

        pub(super) fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// What stands in a file, or was written to it after what it had at first.
        pub(super) fn read(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn there_are_as_many_threads_as_queues_unless_cpus_are_named() {
        let fake = Fake::new("cpus");
        let interface = Interface::open(&fake.sys(), "eth1").unwrap();
        let cpus = |words: &[&str]| {
            let words = [&["--dst", "10.0.0.1"], words].concat();
            cpus(&options(&words), &interface, &[0, 1, 4]).map_err(|error| error.to_string())
        };
        assert_eq!(cpus(&[]), Ok(vec![0, 1]));
        assert_eq!(cpus(&["--cpus", "1"]), Ok(vec![1]));
        assert!(cpus(&["--cpus", "1-2"]).unwrap_err().contains("no CPU 2"));
    }

    #[test]
    fn a_run_is_started_once_and_stopped() {
        let fake = Fake::new("run");
        let generator = Generator::open(&fake.pktgen()).unwrap();
        let interface = Interface::open(&fake.sys(), "eth1").unwrap();
        let counters = Counters {
            generator: &generator,
            devices: &["eth1@0".to_owned()],
            interface: &interface,
            server: None,
        };
        // The fake has sent a million.
        let options = options(&["--dst", "10.0.0.1", "--count", "1000000", "--json"]);
        measure(&options, &counters).unwrap();
        assert_eq!(fake.read("pktgen/pgctrl"), "start\nstop\n");
    }
}
