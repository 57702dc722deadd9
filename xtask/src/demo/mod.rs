//! The demonstration: the server on one end of a veth pair, the person on the other.
//!
//! ```text
//! namespace NAME-server                      namespace NAME-client
//!   ripples run --interface rps0               kdig @10.53.0.1 …
//!   rps0 10.53.0.1/24, fd53::1/64  ──── veth ────  rpc0 10.53.0.2/24, fd53::2/64
//! ```
//!
//! The client's end has a second address of each family, which its database has in another region.
//!
//! Each part is a guard: whatever ends the demonstration, dropping them takes everything away.

mod event;
mod example;
mod guide;
mod live;
mod network;
mod place;
mod sample;
mod server;

use crate::{output, shell};
use anyhow::{Result, bail};
use event::Events;
use network::Network;
pub(crate) use place::Name;
use place::Place;
use server::Server;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// What to show.
pub(crate) struct Plan<'a> {
    /// What the namespaces are called.
    pub(crate) name: &'a Name,
    /// The server's binary.
    pub(crate) server: &'a Path,
    /// Arguments added to the server's own.
    pub(crate) arguments: &'a [String],
    /// When to end; without it, when the person says so.
    pub(crate) length: Option<Duration>,
}

/// Says early what would stop the demonstration later.
pub(crate) fn check(arguments: &[String]) -> Result<()> {
    if arguments
        .iter()
        .any(|a| a.split('=').next() == Some("--control"))
    {
        bail!(
            "the demonstration chooses --control itself; add --listen or --interface for your own"
        );
    }
    if !shell::is_root() {
        bail!(
            "network namespaces and AF_XDP need root: \
             sudo -E env \"PATH=$PATH\" cargo xtask run\n       \
             without root: cargo xtask run -- --config {} --listen 127.0.0.1:5300 --io socket",
            example::configuration().display()
        );
    }
    Ok(())
}

/// Shows the server until a signal, the plan's end, or its death.
pub(crate) fn run(plan: &Plan<'_>) -> Result<()> {
    let events = Events::listen()?;
    let place = Place::claim(plan.name)?;
    let network = Network::set_up(plan.name)?;
    output::step(
        "Starting",
        format!("the server in namespace {}", plan.name.server()),
    );
    let mut server = Server::start(plan, &place, &events)?;
    if let ControlFlow::Continue(()) = server.wait_until_ready(&events)? {
        guide::show(plan, &network, &place);
        live::follow(plan, &place, &mut server, &events)?;
    }
    output::step("Stopping", "the server, removing the namespaces");
    server.stop(&events)
}
