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
            let mut numbers = (0..TAPS_MAX as u8).filter(|number| taken & 1 << number == 0);
            let Some(number) = numbers.next() else {
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
