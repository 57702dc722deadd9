//! Random variants, maps and clients: each client gets one of those that a simple model allows.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use ripples::geo::Geo;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::variants::{Block, Health};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tests::answers::snapshot_on;
use tests::ask::Ask;
use tests::cases;
use tests::maps::{map, maps};
use tests::name::Name;
use tests::record::rtype;
use tests::whereabouts::asked_from;

const HEAD: &str = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.example.\n";
const NAMES: usize = 3;
/// Bits of the addresses that differ: few, so that networks meet.
const BITS: u32 = 8;

/// A `$VARIANT` line, and the names behind it.
#[derive(Clone, Debug)]
struct Variant {
    region: Option<Index>,
    weight: u32,
    fallbacks: Vec<Index>,
    names: Vec<bool>,
    is_down: bool,
}

#[derive(Clone, Debug)]
struct World {
    /// For each region, what stands in for it.
    regions: Vec<Vec<Index>>,
    /// Networks, the later ones over the others.
    networks: Vec<(u32, u8, Index)>,
    variants: Vec<Variant>,
}

fn world() -> impl Strategy<Value = World> {
    let variant = (
        option::weighted(0.8, any::<Index>()),
        1..4u32,
        vec(any::<Index>(), 0..3),
        vec(any::<bool>(), NAMES),
        prop::bool::weighted(0.3),
    );
    let variant = variant.prop_map(|(region, weight, fallbacks, names, is_down)| Variant {
        fallbacks: if region.is_some() {
            fallbacks
        } else {
            Vec::new()
        },
        region,
        weight,
        names,
        is_down,
    });
    let network = (0..1u32 << BITS, 0..=8u8, any::<Index>());
    let regions = vec(vec(any::<Index>(), 0..3), 1..5);
    (regions, vec(network, 0..8), vec(variant, 1..8)).prop_map(|(regions, networks, variants)| {
        World {
            regions,
            networks,
            variants,
        }
    })
}

impl World {
    fn region(&self, index: &Index) -> usize {
        index.index(self.regions.len())
    }

    /// The networks as they are put into a map: shorter ones first, each once.
    fn placed(&self) -> Vec<(u32, u8, usize)> {
        let mask = |len: u8| u32::MAX.checked_shl(BITS - u32::from(len)).unwrap_or(0);
        let networks = self.networks.iter();
        let all =
            networks.map(|(bits, len, region)| (bits & mask(*len), *len, self.region(region)));
        let mut placed: Vec<(u32, u8, usize)> = Vec::new();
        for network in all {
            placed.retain(|other| (other.0, other.1) != (network.0, network.1));
            placed.push(network);
        }
        placed.sort_by_key(|network| network.1);
        placed
    }

    fn geo(&self) -> Geo {
        let name = |region: usize| format!("r{region}");
        let names: Vec<String> = (0..self.regions.len()).map(name).collect();
        let stand_ins = self.regions.iter().map(|stand_ins| {
            let stand_ins = stand_ins.iter();
            stand_ins
                .map(|index| &names[self.region(index)][..])
                .collect::<Vec<_>>()
        });
        let stand_ins: Vec<Vec<&str>> = stand_ins.collect();
        let regions = names.iter().zip(&stand_ins);
        let regions: Vec<_> = regions
            .map(|(name, others)| (&name[..], &others[..]))
            .collect();
        let networks = self
            .placed()
            .into_iter()
            .map(|(bits, len, region)| (format!("{}/{}", address(bits), 24 + len), region));
        let networks: Vec<_> = networks.collect();
        let networks: Vec<_> = networks
            .iter()
            .map(|(text, region)| (&text[..], &names[*region][..]))
            .collect();
        maps([map("m", &regions, &networks)])
    }

    fn text(&self) -> String {
        let mut text = String::from(HEAD);
        for name in 0..NAMES {
            let _ = writeln!(text, "n{name} 60 A 192.0.2.{name}");
        }
        for (number, variant) in self.variants.iter().enumerate() {
            let named = |index: &Index| format!("r{}", self.region(index));
            let region = variant.region.as_ref().map_or("*".into(), named);
            let fallbacks: Vec<_> = variant.fallbacks.iter().map(named).collect();
            let fallbacks = match &fallbacks[..] {
                [] => String::new(),
                names => format!("fallback={}", names.join(",")),
            };
            let weight = variant.weight;
            let _ = writeln!(text, "$VARIANT {region} weight={weight} {fallbacks}");
            for name in (0..NAMES).filter(|name| variant.names[*name]) {
                let _ = writeln!(text, "n{name} 60 A 192.0.{}.{name}", 100 + number);
            }
        }
        text
    }

    /// The region that an address is in.
    fn region_of(&self, bits: u32) -> usize {
        let placed = self.placed();
        let holds = |&&(first, len, _): &&(u32, u8, usize)| {
            (bits ^ first)
                .checked_shr(BITS - u32::from(len))
                .unwrap_or(0)
                == 0
        };
        placed
            .iter()
            .rev()
            .find(holds)
            .map_or(0, |network| network.2)
    }

    /// What clients of a region may get for a name.
    fn allowed(&self, region: usize, name: usize) -> BTreeSet<String> {
        let all = || {
            self.variants
                .iter()
                .enumerate()
                .filter(|(_, it)| it.names[name])
        };
        let of = |region: Option<usize>| -> BTreeSet<String> {
            all()
                .filter(|(_, it)| it.region.as_ref().map(|own| self.region(own)) == region)
                .filter(|(_, it)| !it.is_down)
                .map(|(number, _)| format!("192.0.{}.{name}", 100 + number))
                .collect()
        };
        let own =
            all().filter(|(_, it)| it.region.as_ref().map(|own| self.region(own)) == Some(region));
        let mut fallbacks: Vec<&Index> = own.flat_map(|(_, it)| &it.fallbacks).collect();
        if fallbacks.is_empty() {
            fallbacks = self.regions[region].iter().collect();
        }
        let stand_ins = fallbacks.into_iter().map(|index| Some(self.region(index)));
        let order = [Some(region)].into_iter().chain(stand_ins).chain([None]);
        let found = order.map(of).find(|found| !found.is_empty());
        found.unwrap_or_else(|| BTreeSet::from([format!("192.0.2.{name}")]))
    }

    fn snapshot(&self) -> Snapshot {
        let maps = Arc::new(self.geo());
        let snapshot = snapshot_on(&[("test.", &self.text())], Policy::default(), &maps);
        snapshot.with_geo(maps, Some(self)).expect("a snapshot")
    }
}

impl Health for World {
    fn is_usable(&self, _: &[u8], block: &Block) -> bool {
        // Which of them it is, its line says.
        let (line, _) = block.place.position.expect("a place");
        let mut at = 2 + NAMES;
        for variant in &self.variants {
            at += 1;
            if at == line as usize {
                return !variant.is_down;
            }
            at += variant.names.iter().filter(|is_there| **is_there).count();
        }
        panic!("no $VARIANT is in line {line}")
    }

    fn is_up(&self, _: &[u8], _: IpAddr) -> bool {
        true
    }
}

fn address(bits: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 | bits)
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn clients_get_what_the_model_allows(
        world in world(),
        clients in vec((0..1u32 << BITS, option::of(0..=8u8)), 12),
    ) {
        let snapshot = world.snapshot();
        for (bits, subnet) in clients {
            for name in 0..NAMES {
                let ask = Ask::new(Name::parse(&format!("n{name}.test.")), rtype::A);
                let (ask, bits, source) = match subnet {
                    None => (ask, bits, address(bits)),
                    Some(len) => {
                        let first = bits & u32::MAX.checked_shl(8 - u32::from(len)).unwrap_or(0);
                        let subnet = format!("{}/{}", address(first), 24 + len);
                        (ask.subnet(&subnet), first, Ipv4Addr::new(198, 51, 100, 1))
                    }
                };
                let reply = asked_from(&snapshot, &ask, &source.to_string());
                let allowed = world.allowed(world.region_of(bits), name);
                let texts = reply.texts();
                let [got] = texts[..] else {
                    return Err(TestCaseError::fail(format!("{texts:?}")));
                };
                prop_assert!(allowed.contains(got), "{} got {got}, not of {:?}", bits, allowed);
                let Some((_, scope)) = reply.subnet() else { continue };
                // All that the scope covers gets the same; the addresses differ behind 24 bits.
                let scope = scope.max(24);
                let rest = u32::MAX.checked_shr(u32::from(scope)).unwrap_or(0);
                for other in [bits & !rest, bits | rest] {
                    let allowed_there = world.allowed(world.region_of(other & 0xff), name);
                    prop_assert_eq!(&allowed, &allowed_there, "scope {}", scope);
                }
            }
        }
    }
}
