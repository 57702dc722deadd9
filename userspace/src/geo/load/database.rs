//! A MaxMind database, held to be hostile until it was looked through.

use super::place::{Place, Record};
use crate::geo::Network;
use crate::geo::tree::Family;
use maxminddb::{LookupResult, Reader, WithinOptions};
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A database in memory.
pub(super) struct Database {
    pub(super) file: PathBuf,
    pub(super) reader: Reader<Vec<u8>>,
}

/// Largest file: the format's numbers reach no farther.
const FILE_SIZE_MAX: u64 = u32::MAX as u64;
/// Networks per node of the search tree, at most. There are half as many in a tree; IPv4 is found
/// from several places in IPv6. More of them are a net with many ways to everything.
const NETWORKS_PER_NODE_MAX: usize = 16;

/// A network's length, and where its record is.
pub(super) type Part = (u8, Option<usize>);

impl Database {
    /// Reads a database and looks at all of it.
    pub(super) fn open(file: &Path) -> Result<Self, String> {
        Self::of(file, read(file)?)
    }

    /// Looks at all of a database; errors and findings name `file`.
    pub(super) fn of(file: &Path, bytes: Vec<u8>) -> Result<Self, String> {
        let problem = |problem| format!("{}: {problem}", file.display());
        let reader = Reader::from_source(bytes).map_err(problem)?;
        reader.verify().map_err(problem)?;
        Ok(Self {
            file: file.to_owned(),
            reader,
        })
    }

    /// All addresses of a family as the networks that this database divides them into, in order.
    pub(super) fn networks(
        &self,
        family: Family,
    ) -> Box<dyn Iterator<Item = Result<Part, String>> + '_> {
        let is_ipv6 = self.reader.metadata().ip_version == 6;
        let every = WithinOptions::default().include_networks_without_data();
        let networks = match family {
            Family::V4 => "0.0.0.0/0"
                .parse()
                .map(|all| self.reader.within(all, every)),
            Family::V6 if is_ipv6 => Ok(self.reader.networks(every.include_aliased_networks())),
            // It knows nothing of IPv6.
            Family::V6 => return Box::new(std::iter::once(Ok((0, None)))),
        };
        let networks = match networks {
            Ok(Ok(networks)) => networks,
            Ok(Err(error)) => return Box::new(std::iter::once(Err(self.problem(error)))),
            Err(error) => return Box::new(std::iter::once(Err(self.problem(error)))),
        };
        let node_count = self.reader.metadata().node_count as usize;
        let count_max = node_count
            .saturating_add(1)
            .saturating_mul(NETWORKS_PER_NODE_MAX);
        let limited = networks.enumerate().map(move |(at, network)| {
            if at == count_max {
                return Err(self.problem("its search tree is none: it does not end"));
            }
            let network = network.map_err(|error| self.problem(error))?;
            Ok((self.prefix_len(family, &network)?, network.offset()))
        });
        // Whoever goes on after an error gets no more.
        Box::new(limited.take(count_max.saturating_add(1)))
    }

    /// How many bits of an address of this family a network fixes.
    fn prefix_len(&self, family: Family, found: &LookupResult<'_, Vec<u8>>) -> Result<u8, String> {
        let network = found.network().map_err(|error| self.problem(error))?;
        Ok(match (family, network.ip()) {
            (Family::V4, IpAddr::V4(_)) | (Family::V6, IpAddr::V6(_)) => network.prefix(),
            // All of IPv4 lies in one network of IPv6.
            (Family::V4, IpAddr::V6(_)) => 0,
            // The database has IPv4 below ::/96, and shows it so.
            (Family::V6, IpAddr::V4(_)) => 96 + network.prefix(),
        })
    }

    /// What it says of an address, and of all others in which network.
    pub(super) fn find(&self, address: IpAddr) -> Result<(Option<Network>, Option<Place>), String> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok((None, None));
        }
        let found = self
            .reader
            .lookup(address)
            .map_err(|error| self.problem(error))?;
        let network = found.network().map_err(|error| self.problem(error))?;
        Ok((
            Network::of(network.ip(), network.prefix()),
            self.place(&found)?,
        ))
    }

    /// What a record says.
    pub(super) fn place(&self, found: &LookupResult<'_, Vec<u8>>) -> Result<Option<Place>, String> {
        let record: Result<Option<Record<'_>>, _> = found.decode();
        let record = record.map_err(|error| match found.network() {
            Ok(network) => self.problem(format!("{network}: {error}")),
            Err(_) => self.problem(error),
        })?;
        Ok(record.map(Place::from))
    }

    /// An error that names the file.
    pub(super) fn problem(&self, problem: impl std::fmt::Display) -> String {
        format!("{}: {problem}", self.file.display())
    }
}

/// Reads a regular file: a pipe or a device would never end.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    let named = |problem: String| format!("{}: {problem}", file.display());
    let unreadable = |error: io::Error| named(error.to_string());
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(named("is no regular file".to_owned()));
    }
    if metadata.len() > FILE_SIZE_MAX {
        let problem = format!("{} bytes are more than a database has", metadata.len());
        return Err(named(problem));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let opened = File::open(file).map_err(unreadable)?;
    let mut opened = opened.take(FILE_SIZE_MAX);
    opened.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
