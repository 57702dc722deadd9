//! Networks that lie in each other → networks that lie side by side.

use super::Family;
use crate::geo::Network;

/// All addresses of a family, in order, as networks that do not overlap: as few and as large as the
/// given networks allow. Each is the length of its prefix and the value of the longest given
/// network around it.
pub(in crate::geo) struct Partition<T> {
    /// Sorted, each with the bits of its address.
    given: Vec<Given<T>>,
    /// What is to be told yet, the next last.
    rest: Vec<Part<T>>,
}

struct Given<T> {
    bits: u128,
    prefix_len: u8,
    value: T,
}

/// A network, which of the given ones lie in it, and the value where none does.
struct Part<T> {
    bits: u128,
    prefix_len: u8,
    given: std::ops::Range<usize>,
    value: T,
}

impl<T: Copy> Partition<T> {
    /// Those networks of `networks` that are of this family; of equal ones the last counts.
    pub(in crate::geo) fn new(family: Family, default: T, networks: &[(Network, T)]) -> Self {
        let of_family = networks.iter().filter_map(|&(network, value)| {
            let (its_family, bits) = Family::place(network.address());
            let prefix_len = network.prefix_len();
            (its_family == family).then_some(Given {
                bits,
                prefix_len,
                value,
            })
        });
        let mut given: Vec<_> = of_family.collect();
        // A network comes before those that lie in it. The order is stable.
        given.sort_by_key(|given| (given.bits, given.prefix_len));
        let everything = Part {
            bits: 0,
            prefix_len: 0,
            given: 0..given.len(),
            value: default,
        };
        Self {
            given,
            rest: vec![everything],
        }
    }
}

impl<T: Copy> Iterator for Partition<T> {
    type Item = (u8, T);

    fn next(&mut self) -> Option<(u8, T)> {
        let mut part = self.rest.pop()?;
        loop {
            while let Some(given) = self.given[part.given.clone()].first()
                && given.prefix_len == part.prefix_len
            {
                part.value = given.value;
                part.given.start += 1;
            }
            if part.given.is_empty() {
                return Some((part.prefix_len, part.value));
            }
            // Whatever lies in it is longer, so it has at least one bit more.
            let middle = part.bits | 1 << (127 - part.prefix_len);
            let below = self.given[part.given.clone()].partition_point(|given| given.bits < middle);
            let split = part.given.start + below;
            let prefix_len = part.prefix_len + 1;
            self.rest.push(Part {
                bits: middle,
                prefix_len,
                given: split..part.given.end,
                value: part.value,
            });
            part.prefix_len = prefix_len;
            part.given.end = split;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(family: Family, networks: &[(&str, char)]) -> Vec<(u8, char)> {
        let networks = networks.iter();
        let networks = networks.map(|&(network, value)| (network.parse().unwrap(), value));
        Partition::new(family, '-', &networks.collect::<Vec<_>>()).collect()
    }

    #[test]
    fn networks_in_networks_become_neighbours() {
        let networks = [
            ("192.0.0.0/4", 'b'),
            ("128.0.0.0/1", 'a'),
            ("::/0", 'x'),
            ("208.0.0.0/4", 'c'),
            ("208.0.0.0/4", 'd'),
        ];
        let expected = [(1, '-'), (2, 'a'), (4, 'b'), (4, 'd'), (3, 'a')];
        assert_eq!(parts(Family::V4, &networks), expected);
        assert_eq!(parts(Family::V6, &networks), [(0, 'x')]);
        assert_eq!(parts(Family::V4, &[]), [(0, '-')]);
    }

    #[test]
    fn a_single_address_has_as_many_neighbours_as_bits() {
        let parts = parts(Family::V6, &[("::/128", 'a')]);
        let lens: Vec<_> = parts.iter().map(|&(prefix_len, _)| prefix_len).collect();
        let expected: Vec<_> = std::iter::once(128).chain((1..=128).rev()).collect();
        assert_eq!(lens, expected);
    }
}
