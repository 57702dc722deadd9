//! AF_XDP on the configured interfaces: the best mode that works, each step logged with its reason.

use super::loopback;
use crate::bpf::{AttachMode, Filter};
use crate::config::{Config, Io};
use crate::port::{BindMode, XskConfig, XskError, XskPort};
use crate::sys::interface::{self, Interface};
use crate::sys::memory;
use anyhow::{Context, Result, bail};
use common::FilterConfig;
use std::os::fd::AsRawFd;

/// What was attached.
#[derive(Default)]
pub(super) struct Attachment {
    /// The kernel program on each interface.
    pub(super) attached: Vec<Attached>,
    /// A port per queue, with the name of its worker.
    pub(super) ports: Vec<(String, XskPort)>,
    /// How each interface is served, for people.
    pub(super) paths: Vec<String>,
}

/// The kernel program on an interface. Dropped: detached.
pub(super) struct Attached {
    /// The interface's name.
    pub(super) interface: String,
    /// The interface's number: another one of that name has another.
    index: u32,
    /// The program.
    pub(super) filter: Filter,
    /// Whether the interface was found to be gone.
    gone: bool,
}

impl Attached {
    /// Whether the interface has gone since this was last asked.
    pub(super) fn has_gone(&mut self) -> bool {
        let gone = interface::index(&self.interface) != Some(self.index);
        gone && !std::mem::replace(&mut self.gone, gone)
    }
}

/// Attaches to every interface. With `--io auto` one that cannot do AF_XDP is left to kernel
/// sockets.
pub(super) fn attach(config: &Config) -> Result<Attachment> {
    let mut attachment = Attachment::default();
    if config.io == Io::Socket || !config.udp {
        return Ok(attachment);
    }
    if !config.interfaces.is_empty()
        && let Err(error) = memory::raise_lock_limit()
    {
        tracing::debug!(%error, "RLIMIT_MEMLOCK stays as it is");
    }
    for interface in &config.interfaces {
        // A name that does not exist is a mistake, not a lack of AF_XDP.
        let found = Interface::find(interface).context("--interface")?;
        match attach_one(config, &found, &mut attachment) {
            Ok(()) => {}
            Err(error) if config.io == Io::Auto => {
                tracing::warn!(interface, "no AF_XDP, kernel sockets answer: {error:#}");
                attachment
                    .paths
                    .push(format!("{interface}: kernel sockets"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(attachment)
}

/// Attaches to one interface: native before generic mode, zero-copy before copy.
fn attach_one(config: &Config, found: &Interface, attachment: &mut Attachment) -> Result<()> {
    let interface = found.name.as_str();
    let rules = FilterConfig::new(&config.listen)?;
    let modes: &[AttachMode] = match config.io {
        Io::XdpGeneric => &[AttachMode::Generic],
        _ => &[AttachMode::Native, AttachMode::Generic],
    };
    let mut reasons = Vec::new();
    for &mode in modes {
        let mut filter = Filter::load(&rules, config.xdp_debug)?;
        loopback::check(found, config)?;
        if let Err(error) = filter.attach(interface, mode) {
            tracing::info!(interface, %mode, "not attached: {error}");
            reasons.push(error.to_string());
            if error.suggests_generic() {
                continue;
            }
            break;
        }
        match bind(interface, mode) {
            Ok((bound, ports)) => {
                for (queue, port) in (0..).zip(&ports) {
                    filter.register_socket(queue, port.socket().as_raw_fd())?;
                }
                let (frame_size, huge_pages) = ports[0].umem();
                tracing::info!(
                    interface, %mode, bind = %bound, queues = ports.len(), frame_size, huge_pages,
                    "attached"
                );
                let queues = ports.len();
                let mut path = format!("{interface}: AF_XDP, {mode}, {bound}, {queues} queues");
                if config.reflect {
                    tracing::warn!(
                        interface,
                        "--reflect: NOTHING IS ANSWERED here, every query goes back as it came; \
                         this is for measuring only"
                    );
                    path += ", REFLECTING";
                }
                attachment.paths.push(path);
                let names = (0..).map(|queue| format!("{interface}/{queue}"));
                attachment.ports.extend(names.zip(ports));
                attachment.attached.push(Attached {
                    interface: interface.to_owned(),
                    index: found.index,
                    filter,
                    gone: false,
                });
                return Ok(());
            }
            Err(error) => {
                tracing::info!(interface, %mode, "no sockets: {error}");
                reasons.push(error.to_string());
            }
        }
    }
    // What refuses one mode, often refuses the other in the same words.
    reasons.dedup();
    bail!("{}", reasons.join("; "))
}

/// Opens a socket on each queue.
fn bind(interface: &str, mode: AttachMode) -> Result<(BindMode, Vec<XskPort>), XskError> {
    let zero_copy = (mode == AttachMode::Native).then(|| open_all(interface, BindMode::ZeroCopy));
    match zero_copy {
        Some(Ok(ports)) => return Ok((BindMode::ZeroCopy, ports)),
        Some(Err(error)) if !error.is_unsupported() => return Err(error),
        Some(Err(error)) => tracing::info!(interface, "no zero-copy: {error}"),
        None => {}
    }
    Ok((BindMode::Copy, open_all(interface, BindMode::Copy)?))
}

fn open_all(interface: &str, mode: BindMode) -> Result<Vec<XskPort>, XskError> {
    // Looked up again for each mode: attaching may have changed the queues.
    let queues = Interface::find(interface).map_or(1, |found| found.rx_queues.max(1));
    let configs = (0..queues).map(|queue| XskConfig::new(interface, queue, mode));
    configs.map(|config| XskPort::open(&config)).collect()
}
