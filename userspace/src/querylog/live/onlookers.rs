//! All subscribers.

use super::super::tap::TAPS_MAX;
use super::super::{Entry, Tap};
use super::Onlooker;
use std::time::Instant;

/// Those who look on for a while.
#[derive(Default)]
pub(in super::super) struct Onlookers(Vec<Onlooker>);

impl Onlookers {
    /// One more, which gets its tap when one is free.
    pub(in super::super) fn add(&mut self, onlooker: Onlooker) {
        self.0.push(onlooker);
    }

    /// Whether there is none.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets those go who have gone, and gives taps to those who have come: the numbers that are not
    /// among the bits in `taken`. Says whether the taps are others now.
    pub(in super::super) fn rearrange(&mut self, mut taken: u32) -> bool {
        let is_tapped = |onlooker: &Onlooker| onlooker.number().is_some();
        let tapped = self.0.iter().filter(|onlooker| is_tapped(onlooker)).count();
        self.0.retain(|onlooker| !onlooker.is_gone());
        let stayed = self.0.iter().filter(|onlooker| is_tapped(onlooker)).count();
        let mut has_changed = stayed != tapped;
        taken |= self.bits();
        for onlooker in self.0.iter_mut().filter(|onlooker| !is_tapped(onlooker)) {
            let mut numbers = (0_u8..).take(TAPS_MAX);
            let Some(number) = numbers.find(|number| taken & 1 << number == 0) else {
                // The tap of somebody who has left will be free soon.
                break;
            };
            taken |= 1 << number;
            onlooker.seat(number);
            has_changed = true;
        }
        has_changed
    }

    /// What they need of the workers.
    pub(in super::super) fn taps(&self) -> impl Iterator<Item = Tap> {
        self.0.iter().filter_map(Onlooker::tap)
    }

    /// Hands an entry to those whose own it is.
    pub(in super::super) fn take(&mut self, entry: &Entry<'_>) {
        for onlooker in &mut self.0 {
            onlooker.take(entry);
        }
    }

    /// All workers know of those who have taps.
    pub(in super::super) fn begin(&mut self) {
        let tapped = self.0.iter_mut().filter(|one| one.number().is_some());
        tapped.for_each(Onlooker::begin);
    }

    /// Tells them what it is time to tell.
    pub(in super::super) fn look_after(&mut self, now: Instant) {
        for onlooker in &mut self.0 {
            onlooker.look_after(now);
        }
    }

    /// The bits of their taps.
    fn bits(&self) -> u32 {
        let numbers = self.0.iter().filter_map(Onlooker::number);
        numbers.fold(0, |bits, number| bits | 1 << number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LiveCounts, LiveEvent, Message, View, Wanted};
    use super::*;
    use crate::packet::reply::Transport;
    use crate::packet::{Ends, QueryFlags};
    use crate::querylog::ReplyRecord;
    use std::sync::Arc;
    use tokio::sync::mpsc::{Receiver, channel};

    /// A reply to `www.example A` that these taps have let through.
    fn entry(taps: u32) -> Entry<'static> {
        let reply = b"\0\x07\x84\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01";
        let reply = ReplyRecord {
            taps,
            ends: Ends::UNKNOWN,
            transport: Transport::Udp,
            udp_size: 512,
            flags: QueryFlags::default(),
            query_header: [1, 0],
            rcode: 0,
            reply_len: 29,
            reply,
        };
        Entry {
            worker: "w",
            received_ns: 1,
            sent_ns: 2,
            query: None,
            reply,
        }
    }

    fn add(onlookers: &mut Onlookers, room: usize, counts: &Arc<LiveCounts>) -> Receiver<Message> {
        let (sender, messages) = channel(room);
        let wanted = Wanted {
            filter: Default::default(),
            sample: 1,
            view: View::Tail,
        };
        onlookers.add(Onlooker::new(wanted, sender, Arc::clone(counts)));
        messages
    }

    /// What waits, in words.
    fn told(messages: &mut Receiver<Message>) -> Vec<String> {
        let waiting = std::iter::from_fn(|| messages.try_recv().ok());
        let words = waiting.map(|message| match message {
            Message::Entry(text) => {
                let entry: serde_json::Value = serde_json::from_slice(&text).unwrap();
                entry["request"]["name"].as_str().unwrap().to_owned()
            }
            other => format!("{other:?}"),
        });
        words.collect()
    }

    #[test]
    fn who_is_slow_is_told_in_its_place_how_much_is_missing_and_others_miss_nothing() {
        let (mut onlookers, counts) = (Onlookers::default(), Arc::default());
        let mut slow = add(&mut onlookers, 3, &counts);
        let mut fast = add(&mut onlookers, 100, &counts);
        assert!(onlookers.rearrange(0));
        // Not all workers look yet: nothing comes before it is said that they do.
        onlookers.take(&entry(0b11));
        onlookers.begin();
        for _ in 0..7 {
            onlookers.take(&entry(0b11));
        }
        onlookers.take(&entry(0b10));
        let entries = |count| vec!["www.example.".to_owned(); count];
        let begun = || vec!["Begun".to_owned()];
        assert_eq!(told(&mut slow), [begun(), entries(2)].concat());
        assert_eq!(told(&mut fast), [begun(), entries(8)].concat());
        onlookers.take(&entry(0b01));
        let lost = vec!["Lost(5)".to_owned()];
        assert_eq!(told(&mut slow), [lost, entries(1)].concat());
        assert_eq!(counts.get(LiveEvent::Lost), 5);
        drop(fast);
        onlookers.take(&entry(0b10));
        assert_eq!(counts.get(LiveEvent::Lost), 5, "nobody misses it");
    }

    #[test]
    fn a_tap_is_given_away_when_nothing_with_it_is_under_way() {
        let (mut onlookers, counts) = (Onlookers::default(), Arc::default());
        let first = add(&mut onlookers, 1, &counts);
        // 0 is an output's.
        assert!(onlookers.rearrange(0b1));
        assert!(!onlookers.rearrange(0b11));
        drop(first);
        let _second = add(&mut onlookers, 1, &counts);
        assert!(onlookers.rearrange(0b11));
        assert_eq!(onlookers.bits(), 0b100);
        let _third = add(&mut onlookers, 1, &counts);
        // All are taken: it waits.
        assert!(!onlookers.rearrange(u32::MAX));
        assert!(onlookers.rearrange(0b101));
        assert_eq!(onlookers.bits(), 0b110);
    }
}
