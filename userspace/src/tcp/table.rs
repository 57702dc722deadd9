//! All open connections: a slab, and the lists that say which of them has waited longest.

use super::connection::Wait;
use super::list::{Links, List};
use super::networks::Networks;
use std::net::IpAddr;

/// Names one connection for as long as it is open; never another one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The place in the table.
    pub index: u32,
    /// How many connections had this place before (modulo 2^24).
    pub generation: u32,
}

/// Open connections, each with what it waits for.
///
/// Each is in exactly one list of waiting ones, and the idle ones also in their network's, both
/// in order of time: whichever has waited longest is found in constant time.
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    waiting: [List; Wait::ALL.len()],
    waiting_links: Links,
    networks: Networks,
    network_links: Links,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    row: Option<Row<T>>,
}

#[derive(Debug)]
struct Row<T> {
    value: T,
    network: u32,
    wait: Wait,
    since_ms: u64,
}

/// Generations have 24 bits, so that a key and a kind fit an epoll token.
const GENERATION_MASK: u32 = 0xff_ffff;

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            waiting: Default::default(),
            waiting_links: Links::default(),
            networks: Networks::default(),
            network_links: Links::default(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a connection that waits for its first query.
    pub fn insert(&mut self, value: T, client: IpAddr, now_ms: u64) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                row: None,
            });
            u32::try_from(self.slots.len() - 1).expect("connections_max is below 2^32")
        });
        let network = self.networks.enter(client);
        let slot = &mut self.slots[index as usize];
        slot.row = Some(Row {
            value,
            network,
            wait: Wait::First,
            since_ms: now_ms,
        });
        let generation = slot.generation;
        self.link(index, network, Wait::First);
        Key { index, generation }
    }

    /// The connection, if it is still open.
    pub fn find(&mut self, key: Key) -> Option<&mut T> {
        self.row(key).map(|row| &mut row.value)
    }

    /// Takes note of what a connection waits for. `since_ms` must not be before any other's in
    /// that list.
    pub fn settle(&mut self, key: Key, wait: Wait, since_ms: u64) {
        let Some(row) = self.row(key) else { return };
        if (row.wait, row.since_ms) == (wait, since_ms) {
            return;
        }
        let (network, before) = (row.network, row.wait);
        row.wait = wait;
        row.since_ms = since_ms;
        self.unlink(key.index, network, before);
        self.link(key.index, network, wait);
    }

    /// Takes a connection out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.find(key)?;
        let slot = &mut self.slots[key.index as usize];
        let row = slot.row.take()?;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        self.free.push(key.index);
        self.unlink(key.index, row.network, row.wait);
        self.networks.leave(row.network);
        Some(row.value)
    }

    /// The connection that has waited longest for `wait`, and since when.
    pub fn oldest(&self, wait: Wait) -> Option<(Key, u64)> {
        self.key_and_since(self.waiting[wait as usize].oldest()?)
    }

    /// The connection of `client`'s network that has been idle longest.
    pub fn oldest_idle_near(&self, client: IpAddr) -> Option<Key> {
        let index = self.networks.find(client)?.idle.oldest()?;
        self.key_and_since(index).map(|(key, _)| key)
    }

    /// Open connections of `client`'s network.
    pub fn count_near(&self, client: IpAddr) -> u32 {
        self.networks
            .find(client)
            .map_or(0, |network| network.connections)
    }

    /// Open connections.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys of all open connections.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        (0..).zip(&self.slots).filter_map(|(index, slot)| {
            let generation = slot.generation;
            slot.row.as_ref().map(|_| Key { index, generation })
        })
    }

    fn row(&mut self, key: Key) -> Option<&mut Row<T>> {
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.row
            .as_mut()
            .filter(|_| slot.generation == key.generation)
    }

    fn key_and_since(&self, index: u32) -> Option<(Key, u64)> {
        let slot = &self.slots[index as usize];
        let generation = slot.generation;
        Some((Key { index, generation }, slot.row.as_ref()?.since_ms))
    }

    fn link(&mut self, index: u32, network: u32, wait: Wait) {
        self.waiting_links
            .push(&mut self.waiting[wait as usize], index);
        if wait == Wait::Idle {
            self.network_links
                .push(self.networks.idle_mut(network), index);
        }
    }

    fn unlink(&mut self, index: u32, network: u32, wait: Wait) {
        self.waiting_links
            .remove(&mut self.waiting[wait as usize], index);
        if wait == Wait::Idle {
            self.network_links
                .remove(self.networks.idle_mut(network), index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: [u8; 2]) -> IpAddr {
        IpAddr::from([192, 0, last[0], last[1]])
    }

    #[test]
    fn a_key_of_a_closed_connection_finds_no_other() {
        let mut table = Table::default();
        let first = table.insert('a', ip([2, 1]), 0);
        assert_eq!(table.remove(first), Some('a'));
        let second = table.insert('b', ip([2, 1]), 0);
        assert_eq!(first.index, second.index);
        assert_eq!(table.find(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.find(second), Some(&mut 'b'));
        assert_eq!(table.keys().collect::<Vec<_>>(), [second]);
    }

    #[test]
    fn whoever_has_waited_longest_is_the_oldest_of_its_list() {
        let mut table = Table::default();
        let [a, b, c] = [1, 2, 3].map(|at| table.insert(at, ip([2, 1]), at));
        assert_eq!(table.oldest(Wait::First), Some((a, 1)));
        table.settle(a, Wait::Idle, 4);
        table.settle(b, Wait::Idle, 5);
        assert_eq!(table.oldest(Wait::First), Some((c, 3)));
        assert_eq!(table.oldest(Wait::Idle), Some((a, 4)));
        table.settle(a, Wait::Idle, 6);
        assert_eq!(table.oldest(Wait::Idle), Some((b, 5)));
        table.settle(b, Wait::Idle, 5); // nothing changed: keeps its place
        table.remove(b);
        assert_eq!(table.oldest(Wait::Idle), Some((a, 6)));
        assert_eq!(table.oldest(Wait::Send), None);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn each_network_knows_its_own_oldest_idle_connection() {
        let mut table = Table::default();
        let near = table.insert((), ip([2, 1]), 0);
        let other = table.insert((), ip([2, 2]), 0);
        let far = table.insert((), ip([3, 1]), 0);
        assert_eq!(table.oldest_idle_near(ip([2, 9])), None);
        for (at, key) in [(1, far), (2, other), (3, near)] {
            table.settle(key, Wait::Idle, at);
        }
        assert_eq!(table.oldest_idle_near(ip([2, 9])), Some(other));
        assert_eq!(
            (table.count_near(ip([2, 9])), table.count_near(ip([3, 9]))),
            (2, 1)
        );
        table.settle(other, Wait::Send, 4);
        assert_eq!(table.oldest_idle_near(ip([2, 9])), Some(near));
        table.remove(near);
        assert_eq!(table.oldest_idle_near(ip([2, 9])), None);
        assert_eq!(table.count_near(ip([2, 9])), 1);
    }
}
