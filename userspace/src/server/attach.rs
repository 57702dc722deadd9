//! AF_XDP on the configured interfaces: the best mode that works, each step logged with its reason.

use super::takeover::Link;
use super::ways::{self, Way};
use super::{bonds, loopback};
use crate::bpf::{AttachMode, Filter};
use crate::config::{Config, Io};
use crate::port::{BindMode, Port, RingGauge, RingStatistics, XskPort};
use crate::sys::interface::{self, Interface};
use crate::sys::memory;
use anyhow::{Context, Result, bail};
use common::FilterConfig;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// A port per queue, with the name of its worker.
pub(super) type Queues = Vec<(String, XskPort)>;

/// What was attached.
#[derive(Default)]
pub(super) struct Attachment {
    /// The kernel program on each interface.
    pub(super) attached: Vec<Attached>,
    /// What its frames come by.
    pub(super) ports: Queues,
    /// How each interface is served, for people.
    pub(super) paths: Vec<String>,
}

/// The kernel program on an interface. Dropped: detached, unless another process has it too.
pub(super) struct Attached {
    /// The interface's name.
    pub(super) interface: String,
    /// The interface's number: another one of that name has another.
    pub(super) index: u32,
    /// How the program is run.
    pub(super) mode: AttachMode,
    /// The program.
    pub(super) filter: Filter,
    /// Queues that have a socket.
    queues: u32,
    /// What tells the counters of each queue's socket. Gone before the worker is: else the queue
    /// would stay taken.
    gauges: Vec<RingGauge>,
    /// What was counted of sockets that each queue had before.
    past: Vec<RingStatistics>,
    /// The attachment that another process made, until it is taken over.
    inherited: Option<OwnedFd>,
}

impl Attached {
    /// Whether the interface has gone; another one of its name is another one.
    pub(super) fn has_gone(&self) -> bool {
        interface::index(&self.interface) != Some(self.index)
    }

    /// Sends the frames through this process's program, where they go through another's.
    pub(super) fn take_over(&mut self) -> Result<()> {
        match self.inherited.take() {
            Some(link) => Ok(self.filter.adopt(link)?),
            None => Ok(()),
        }
    }

    /// Sends no more frames to the sockets: the kernel gets them.
    pub(super) fn withhold(&mut self) {
        self.past = self.rings();
        self.gauges.clear();
        for queue in 0..self.queues {
            if let Err(error) = self.filter.unregister_socket(queue) {
                tracing::warn!(interface = self.interface, queue, "{error}");
            }
        }
    }

    /// What the kernel has counted about each queue's socket, and those before it.
    pub(super) fn rings(&self) -> Vec<RingStatistics> {
        let now: io::Result<Vec<RingStatistics>> =
            self.gauges.iter().map(RingGauge::read).collect();
        let now = now.unwrap_or_else(|error| {
            tracing::debug!(interface = self.interface, %error, "the counters of its rings");
            Vec::new()
        });
        let queues = now.len().max(self.past.len());
        let of = |rings: &[RingStatistics], queue| rings.get(queue).copied().unwrap_or_default();
        (0..queues)
            .map(|queue| of(&now, queue).plus(&of(&self.past, queue)))
            .collect()
    }

    /// Opens the sockets anew that were withheld and closed, and sends them the frames.
    pub(super) fn reopen(&mut self, config: &Config) -> Result<Queues> {
        let (bound, ports) = ways::bind(
            config,
            &self.interface,
            self.mode,
            ways::binds(config.io, self.mode),
        )?;
        self.gauges = gauges(&self.interface, &ports);
        let queues = register(&mut self.filter, &self.interface, ports)?;
        self.filter.resume()?;
        self.queues = u32::try_from(queues.len())?;
        let path = path(self.mode, bound, queues.len(), config.reflect);
        tracing::info!(interface = self.interface, "again {path}");
        Ok(queues)
    }
}

/// An interface, and what is prepared for it while another server still has it.
pub(super) struct Prepared {
    found: Interface,
    /// A loaded program, and the attachment that it is for.
    inherited: Option<(Filter, Link)>,
}

/// Looks the interfaces up. Of those that are inherited, the programs are loaded: that takes long.
pub(super) fn prepare(config: &Config, links: Vec<Link>) -> Result<Vec<Prepared>> {
    if config.io == Io::Socket || !config.udp {
        return Ok(Vec::new());
    }
    if !config.interfaces.is_empty()
        && let Err(error) = memory::raise_lock_limit()
    {
        tracing::debug!(%error, "RLIMIT_MEMLOCK stays as it is");
    }
    let mut links = links;
    let mut prepared = Vec::new();
    for interface in &attached_to(config)? {
        // A name that does not exist is a mistake, not a lack of AF_XDP.
        let found = Interface::find(interface).context("--interface")?;
        let at = links.iter().position(|link| {
            let same = (&link.interface, link.index) == (&found.name, found.index);
            same && !ways::binds(config.io, link.mode).is_empty()
        });
        let inherited = match at.map(|at| links.swap_remove(at)) {
            Some(link) => {
                loopback::check(&found, config)?;
                let rules = FilterConfig::new(&config.listen)?;
                Some((Filter::load(&rules, config.xdp_debug)?, link))
            }
            None => None,
        };
        prepared.push(Prepared { found, inherited });
    }
    Ok(prepared)
}

/// The interfaces to attach to: of bonds their members.
///
/// # Errors
/// `[vlan]` names another one.
fn attached_to(config: &Config) -> Result<Vec<String>> {
    let resolved = bonds::resolve(&config.interfaces, |interface, members| {
        let members = members.join(", ");
        tracing::info!(interface, members, "a bond: its members are attached");
    });
    if let Some(other) = config.vlan.keys().find(|name| !resolved.contains(name)) {
        bail!(
            "vlan.{other}: not one of the interfaces: {}",
            resolved.join(", ")
        );
    }
    Ok(resolved)
}

/// Attaches to every interface. With `--io auto` one that cannot do AF_XDP is left to kernel
/// sockets; but not one on which another server did: that one then goes on.
pub(super) fn attach(config: &Config, prepared: Vec<Prepared>) -> Result<Attachment> {
    let mut attachment = Attachment::default();
    for Prepared { found, inherited } in prepared {
        let interface = found.name.as_str();
        if let Some((filter, link)) = inherited {
            let (bound, ports) = ways::bind(
                config,
                interface,
                link.mode,
                ways::binds(config.io, link.mode),
            )?;
            attachment.add(config, &found, link.mode, filter, bound, ports)?;
            if let Some(added) = attachment.attached.last_mut() {
                added.inherited = Some(link.descriptor);
            }
            continue;
        }
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
pub(super) fn attach_one(
    config: &Config,
    found: &Interface,
    attachment: &mut Attachment,
) -> Result<()> {
    let interface = found.name.as_str();
    let rules = FilterConfig::new(&config.listen)?;
    let mut reasons = Vec::new();
    for &Way { mode, binds } in ways::of(config.io) {
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
        match ways::bind(config, interface, mode, binds) {
            Ok((bound, ports)) => {
                return attachment.add(config, found, mode, filter, bound, ports);
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

impl Attachment {
    /// Gives the program its sockets.
    fn add(
        &mut self,
        config: &Config,
        found: &Interface,
        mode: AttachMode,
        mut filter: Filter,
        bound: BindMode,
        ports: Vec<XskPort>,
    ) -> Result<()> {
        let interface = found.name.as_str();
        let (frame_size, huge_pages) = ports[0].umem();
        tracing::info!(
            interface, %mode, bind = %bound, queues = ports.len(), frame_size, huge_pages,
            verifies = ports[0].verifies(), "attached"
        );
        if config.reflect {
            tracing::warn!(
                interface,
                "--reflect: NOTHING IS ANSWERED here, every query goes back as it came; this is \
                 for measuring only"
            );
        }
        let path = path(mode, bound, ports.len(), config.reflect);
        let gauges = gauges(interface, &ports);
        let queues = register(&mut filter, interface, ports)?;
        self.paths.push(format!("{interface}: {path}"));
        self.attached.push(Attached {
            interface: interface.to_owned(),
            index: found.index,
            mode,
            filter,
            queues: u32::try_from(queues.len())?,
            gauges,
            past: Vec::new(),
            inherited: None,
        });
        self.ports.extend(queues);
        Ok(())
    }
}

/// What tells the counters of these ports; nothing, where descriptors are used up.
fn gauges(interface: &str, ports: &[XskPort]) -> Vec<RingGauge> {
    let gauges: io::Result<_> = ports.iter().map(XskPort::gauge).collect();
    gauges.unwrap_or_else(|error| {
        tracing::warn!(interface, %error, "the counters of its rings are not told");
        Vec::new()
    })
}

/// Has the program give each queue's frames to its socket; names the workers that these are for.
fn register(filter: &mut Filter, interface: &str, ports: Vec<XskPort>) -> Result<Queues> {
    for (queue, port) in (0..).zip(&ports) {
        filter.register_socket(queue, port.socket().as_raw_fd())?;
    }
    let names = (0..).map(|queue| format!("{interface}/{queue}"));
    Ok(names.zip(ports).collect())
}

/// How an interface is served, for people.
fn path(mode: AttachMode, bound: BindMode, queues: usize, reflect: bool) -> String {
    let reflecting = if reflect { ", REFLECTING" } else { "" };
    format!("AF_XDP, {mode}, {bound}, {queues} queues{reflecting}")
}
