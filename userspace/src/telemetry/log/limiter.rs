//! Messages of one place in the program that repeat: so many within a window, the others are
//! counted.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Metadata;

/// Places that are told apart; the program has fewer. Further ones have no limit.
const PLACES: usize = 512;

/// Who may go on, over all threads. Nobody waits for anybody.
#[derive(Debug)]
pub(super) struct Limiter {
    places: Box<[Place]>,
    burst: u32,
    window_s: u64,
}

/// A place in the program that logs.
#[derive(Debug, Default)]
struct Place {
    metadata: OnceLock<&'static Metadata<'static>>,
    /// The present window's number, and how many messages it has had.
    window: AtomicU64,
    /// Messages left out and not yet told of.
    left_out: AtomicU64,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Yes,
    /// The first that is left out: somebody should tell of it when the window is over.
    NoLonger,
    No,
}

impl Limiter {
    /// `burst` messages in `window_s` seconds; with 0 there is no limit.
    pub(super) fn new(burst: u32, window_s: u32) -> Self {
        Self {
            places: (0..PLACES).map(|_| Place::default()).collect(),
            burst,
            window_s: u64::from(window_s.max(1)),
        }
    }

    /// Whether a message from there may go on at this second.
    pub(super) fn admit(&self, metadata: &'static Metadata<'static>, now_s: u64) -> Admission {
        let place = match self.burst {
            0 => None,
            _ => self.place(metadata),
        };
        let Some(place) = place else {
            return Admission::Yes;
        };
        let number = self.number(now_s);
        // A window that is over begins anew.
        let counted = |window: u64| match window >> 32 == number {
            true => number << 32 | u64::from(low(window).saturating_add(1)),
            false => number << 32 | 1,
        };
        let (relaxed, count) = (Ordering::Relaxed, |window| Some(counted(window)));
        let before = place.window.fetch_update(relaxed, relaxed, count);
        let (Ok(before) | Err(before)) = before;
        if low(counted(before)) <= self.burst {
            return Admission::Yes;
        }
        match place.left_out.fetch_add(1, relaxed) {
            0 => Admission::NoLonger,
            _ => Admission::No,
        }
    }

    /// Takes how many messages were left out of windows that are over at this second; of all
    /// windows where `all`.
    pub(super) fn take_left_out(
        &self,
        now_s: u64,
        all: bool,
        mut tell: impl FnMut(&'static Metadata<'static>, u64),
    ) {
        for place in &self.places {
            let is_over = place.window.load(Ordering::Relaxed) >> 32 != self.number(now_s);
            if let Some(metadata) = place.metadata.get()
                && (all || is_over)
            {
                match place.left_out.swap(0, Ordering::Relaxed) {
                    0 => {}
                    count => tell(metadata, count),
                }
            }
        }
    }

    /// Whether there is something to tell of.
    pub(super) fn has_left_out(&self) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.left_out.load(Ordering::Relaxed) > 0)
    }

    /// Seconds from this one until the present window is over.
    pub(super) fn window_left_s(&self, now_s: u64) -> u64 {
        self.window_s - now_s % self.window_s
    }

    fn number(&self, now_s: u64) -> u64 {
        u64::from(low(now_s / self.window_s))
    }

    /// Where this is counted: at its place in the table, or behind it.
    fn place(&self, metadata: &'static Metadata<'static>) -> Option<&Place> {
        // Metadata are static, each in a place of its own, 16 bytes and more from the next.
        let start = (ptr::from_ref(metadata).addr() / 16) % PLACES;
        let (front, back) = self.places.split_at(start);
        back.iter().chain(front).find(|place| {
            let known = place.metadata.get_or_init(|| metadata);
            ptr::eq(*known, metadata)
        })
    }
}

/// The lower half.
fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use tracing::{Level, callsite::Callsite};

    /// A place in this file.
    macro_rules! place {
        ($name:literal) => {
            tracing::callsite! {
                name: $name,
                kind: tracing::metadata::Kind::EVENT,
                target: "t",
                level: Level::WARN,
                fields: a
            }
            .metadata()
        };
    }

    fn places() -> [&'static Metadata<'static>; 2] {
        [place!("one"), place!("two")]
    }

    #[test]
    fn a_burst_passes_and_the_rest_is_counted_until_the_window_is_over() {
        let ([place, other], limiter) = (places(), Limiter::new(3, 10));
        let admit = |now_s| limiter.admit(place, now_s);
        assert!((100..103).all(|now_s| admit(now_s) == Admission::Yes));
        assert_eq!(
            [admit(104), admit(109)],
            [Admission::NoLonger, Admission::No]
        );
        assert_eq!(limiter.admit(other, 104), Admission::Yes);
        let taken = |now_s, all| {
            let mut taken = Vec::new();
            limiter.take_left_out(now_s, all, |place, count| taken.push((place.name(), count)));
            taken
        };
        assert_eq!(taken(109, false), []);
        assert!(limiter.has_left_out());
        assert_eq!(limiter.window_left_s(109), 1);
        assert_eq!(taken(110, false), [("one", 2)]);
        assert!(!limiter.has_left_out());
        assert!((110..113).all(|now_s| admit(now_s) == Admission::Yes));
        assert_eq!(admit(113), Admission::NoLonger);
        assert_eq!(taken(113, true), [("one", 1)]);
    }

    #[test]
    fn a_burst_of_zero_is_no_limit() {
        let ([place, _], limiter) = (places(), Limiter::new(0, 10));
        assert!((0..1000).all(|_| limiter.admit(place, 7) == Admission::Yes));
    }

    #[test]
    fn threads_share_a_burst_and_nothing_is_lost_between_them() {
        let ([place, _], limiter) = (places(), Limiter::new(100, 10));
        let work = || (0..1000).filter(|_| limiter.admit(place, 7) == Admission::Yes);
        let admitted: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| work().count())).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(admitted, 100);
        let mut left_out = 0;
        limiter.take_left_out(7, true, |_, count| left_out += count);
        assert_eq!(left_out, 3900);
    }
}
