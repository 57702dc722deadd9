//! The same for whoever asks a running server: what is served decides. Databases are read again,
//! for the server keeps no more of them than the maps.

use super::client::Asker;
use super::way::Way;
use super::{joined, json, parse, subnet, text};
use crate::config::Config;
use crate::control::{Refusal, Reply};
use crate::geo;
use crate::snapshot::Snapshot;
use crate::sys::heap;
use anyhow::Result;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Databases are large: no more clients than these have them read at a time.
const UNDERWAY_MAX: usize = 2;

/// Clients that have them read now.
static UNDERWAY: AtomicUsize = AtomicUsize::new(0);

/// What a client of the control socket wants to know.
#[derive(Debug)]
pub(in crate::server) struct Asked {
    pub(in crate::server) address: IpAddr,
    pub(in crate::server) name: Option<String>,
    /// Bits of the address that a resolver tells.
    pub(in crate::server) subnet: Option<u8>,
}

/// Answers from a thread of its own, for it takes its time.
pub(in crate::server) fn locate(
    config: Config,
    snapshot: Arc<Snapshot>,
    asked: Asked,
    reply: Reply,
) {
    if UNDERWAY.fetch_add(1, Ordering::Relaxed) >= UNDERWAY_MAX {
        UNDERWAY.fetch_sub(1, Ordering::Relaxed);
        let busy = "others have the databases read at this moment; try again";
        return reply.send(Err(Refusal::from(busy.to_owned())));
    }
    let explain = move || {
        let told = explained(&config, &snapshot, &asked);
        drop((config, snapshot));
        heap::release();
        UNDERWAY.fetch_sub(1, Ordering::Relaxed);
        reply.send(told.map_err(|error| format!("{error:#}")));
    };
    let thread = thread::Builder::new().name("geo lookup".to_owned());
    if let Err(error) = thread.spawn(explain) {
        UNDERWAY.fetch_sub(1, Ordering::Relaxed);
        tracing::warn!(%error, "geo lookup");
    }
}

fn explained(config: &Config, snapshot: &Snapshot, asked: &Asked) -> Result<Value> {
    let name = asked.name.as_deref().map(parse).transpose()?;
    let asker = Asker {
        address: asked.address,
        subnet: subnet(asked.address, asked.subnet.map(Some), config)?,
    };
    let place = geo::locate(&config.geo, asker.address()).map_err(joined)?;
    let way = name.map(|name| Way::of(snapshot, &name, &asker));
    let way = way.transpose()?;
    let mut told = json(&place, way.as_ref(), &asker);
    told["generation"] = snapshot.generation().into();
    told["text"] = text(&place, way.as_ref(), &asker).into();
    Ok(told)
}
