//! `ripples geo lookup`: where an address is, what it gets for a name, and why.

mod client;
mod served;
mod told;
mod way;
mod zones;

use crate::config::{Config, LookupArguments};
use crate::geo::{self, Geo, Network, Whereabouts};
use crate::name::{self, NameBuf, ROOT};
use crate::packet::NameKey;
use crate::packet::cookie::Secret;
use crate::server::resources::Secrets;
use crate::snapshot::Snapshot;
use anyhow::{Context, Result, anyhow, bail};
use client::Asker;
pub(super) use served::{Asked, locate};
use std::net::IpAddr;
use std::sync::Arc;
use way::{End, Way};
use zones::Zones;

/// Bits of a client's address that a resolver should tell (RFC 7871 §11.1).
const SUBNET_LEN_IPV4: u8 = 24;
const SUBNET_LEN_IPV6: u8 = 56;

/// What there is to say of the address, and of the name that it asks for, as text or as JSON.
pub fn lookup(config: &Config, arguments: &LookupArguments) -> Result<String> {
    let client = &arguments.client;
    let name = client.name.as_deref().map(parse).transpose()?;
    if config.geo.databases.is_empty() && config.geo.maps.is_empty() && name.is_none() {
        bail!("there is no map and no database: --config FILE with [geo], or --geoip FILE");
    }
    let asker = Asker {
        address: client.address,
        subnet: subnet(client.address, client.subnet, config)?,
    };
    let place = geo::locate(&config.geo, asker.address()).map_err(joined)?;
    let way = name.map(|name| way(config, &name, &asker, &place.geo));
    let way = way.transpose()?;
    Ok(match arguments.json {
        true => format!("{}\n", json(&place, way.as_ref(), &asker)),
        false => text(&place, way.as_ref(), &asker),
    })
}

fn parse(text: &str) -> Result<NameBuf> {
    let name = NameBuf::from_text(text.as_bytes(), ROOT);
    name.with_context(|| format!("NAME: {text:?} is no name"))
}

fn joined(problems: Vec<String>) -> anyhow::Error {
    anyhow!(problems.join("\n"))
}

/// Bits of a client's address that a resolver should tell.
pub(crate) fn subnet_len(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => SUBNET_LEN_IPV4,
        IpAddr::V6(_) => SUBNET_LEN_IPV6,
    }
}

/// The network that a resolver would tell.
fn subnet(address: IpAddr, subnet: Option<Option<u8>>, config: &Config) -> Result<Option<Network>> {
    let Some(bits) = subnet else {
        return Ok(None);
    };
    if !config.answers.client_subnet {
        bail!("--subnet: the configuration has edns.client_subnet off, so nobody's is read");
    }
    let bits = bits.unwrap_or(subnet_len(address));
    let network = Network::of(address, bits).filter(|_| bits != 0);
    let network = network.with_context(|| format!("--subnet: {bits} bits are no such prefix"))?;
    Ok(Some(network))
}

/// The names that the answer would go by. Of the zones only those on the way are read.
fn way(config: &Config, name: &NameBuf, asker: &Asker, geo: &Arc<Geo>) -> Result<Way> {
    let mut zones = Zones::of(config)?;
    zones.load_for(name, geo).map_err(joined)?;
    loop {
        let policy = super::resources::policy(config, &Secrets::of(Secret([0; 16])))?;
        // The names are the operator's own: nobody chooses them to collide.
        let key = NameKey::new([1, 2, 3]);
        let snapshot = Snapshot::new(1, zones.served(), policy, key)?;
        let snapshot = snapshot.with_geo(Arc::clone(geo), None)?;
        let way = Way::of(&snapshot, name, asker)?;
        let is_elsewhere = way.end == End::NoZone;
        if !(is_elsewhere && zones.load_for(&way.last, geo).map_err(joined)?) {
            return Ok(way);
        }
    }
}

fn text(place: &Whereabouts, way: Option<&Way>, asker: &Asker) -> String {
    let mut text = String::new();
    if let Some(subnet) = &asker.subnet {
        text = format!("client subnet {subnet}\n");
    }
    text += &place.text();
    if let Some(way) = way {
        text += &told::text(way, asker);
    }
    text
}

fn json(place: &Whereabouts, way: Option<&Way>, asker: &Asker) -> serde_json::Value {
    let mut json = place.json();
    if let Some(subnet) = &asker.subnet {
        json["subnet"] = subnet.to_string().into();
    }
    if let Some(way) = way {
        json["name"] = name::display(&way.name).to_string().into();
        json["end"] = way.end.word().into();
        json["last"] = name::display(&way.last).to_string().into();
        json["variants"] = told::json(way);
    }
    json
}
