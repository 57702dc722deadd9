//! Who wants to know: where the client is, and which of several variants it gets.

use crate::packet::Query;
use crate::packet::edns::Subnet;
use crate::snapshot::{Choice, Found, Snapshot, VariantSet, Weighted};
use crate::zone::image::Node;
use std::net::IpAddr;

/// Whom an answer is for, as far as answers may depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Of the client, or of its network: then the bits that are not known are zero.
    address: IpAddr,
    /// How many bits a resolver says of the client's address; `None`: it is the source's.
    subnet_len: Option<u8>,
    /// Of the message: a number that nobody chooses twice.
    id: u16,
}

/// What a client gets of a varied name and type, and what it was chosen from.
pub struct Chosen<'s> {
    /// All variants.
    pub set: &'s VariantSet,
    /// Number of the client's region in the set's map; 0 without a map.
    pub region: u16,
    /// What clients of the region choose from.
    pub choice: Choice<'s>,
    /// Place of the chosen one.
    pub place: usize,
    /// Bits of the client's network that this is valid for.
    pub scope: u8,
}

/// A node that a client gets instead of a varied one.
pub(super) struct Variant<'s> {
    pub(super) node: Node<'s>,
    /// Bits of the client's subnet that this is valid for (RFC 7871 §7.2.1).
    pub(super) scope: u8,
}

impl Client {
    /// Whoever sent `message`: the client that a resolver speaks for, if it does, else the resolver
    /// (RFC 7871 §7.2.1). The message must be as it came.
    pub fn of(query: &Query, message: &[u8], source: IpAddr) -> Self {
        // RFC 7871 §7.1.2: with /0 a client wants nothing to depend on its address.
        let subnet = Subnet::of(query, message).filter(|subnet| subnet.prefix_len != 0);
        Self {
            address: subnet.map_or(source, |subnet| subnet.address),
            subnet_len: subnet.map(|subnet| subnet.prefix_len),
            id: u16::from_be_bytes([message[0], message[1]]),
        }
    }

    /// What it gets for a type at a varied name.
    pub(super) fn variant<'s>(
        &self,
        snapshot: &'s Snapshot,
        found: Found<'s>,
        rtype: u16,
    ) -> Variant<'s> {
        match self.choose(snapshot, found, rtype) {
            Some(chosen) => Variant {
                node: chosen.choice.node(chosen.place).unwrap_or(found.node),
                scope: self.subnet_len.map_or(0, |_| chosen.scope),
            },
            None => Variant {
                node: found.node,
                scope: 0,
            },
        }
    }

    /// What it gets for a type at a name, and why; `None` where nothing varies.
    #[inline]
    pub fn choose<'s>(
        &self,
        snapshot: &'s Snapshot,
        found: Found<'s>,
        rtype: u16,
    ) -> Option<Chosen<'s>> {
        let variation = snapshot.variation(found.zone)?;
        let set = variation.find(found.node.variants()?, rtype)?;
        let map = set
            .map
            .and_then(|map| snapshot.geo().maps.get(usize::from(map)));
        let located = map.map(|map| map.find(self.address));
        let (region, mut scope) = located.map_or((0, 0), |at| (at.region, at.prefix_len));
        let choice = variation.choice(set, region)?;
        let place = match choice.is_open() {
            false => 0,
            true => {
                let weighted = snapshot.policy().weighted;
                if weighted == Weighted::Client {
                    scope = scope.max(self.subnet_len.unwrap_or(0));
                }
                self.pick(choice, set, weighted)
            }
        };
        Some(Chosen {
            set,
            region,
            choice,
            place,
            scope,
        })
    }

    /// The place of one of several.
    fn pick(&self, choice: Choice<'_>, set: &VariantSet, weighted: Weighted) -> usize {
        let octets = match self.address {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let halves = octets.as_chunks().0;
        let [high, low] = [0, 1].map(|half: usize| u64::from_be_bytes(halves[half]));
        let of_client = stirred(stirred(set.salt ^ low) ^ high);
        choice.place(match weighted {
            Weighted::Client => of_client,
            Weighted::Random => stirred(of_client ^ u64::from(self.id)),
        })
    }
}

/// Every bit of the result depends on every bit of the number (splitmix64).
fn stirred(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
