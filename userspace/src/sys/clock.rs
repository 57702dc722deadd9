//! The time of day, and what it costs to know it.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "the CPU's counter is read by an intrinsic")
)]

use nix::time::{ClockId, clock_gettime};
use std::sync::LazyLock;
use std::time::Duration;

/// Seconds since 1970, modulo 2^32: as cookies have them (RFC 9018 §4.3).
///
/// The coarse clock, which the kernel advances with its ticks, is read without asking the kernel
/// nor the CPU's counter: once per turn it costs nothing.
pub fn unix_time_s() -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "modulo 2^32 is what is wanted"
    )]
    clock_gettime(ClockId::CLOCK_REALTIME_COARSE).map_or(0, |time| time.tv_sec() as u32)
}

/// Nanoseconds since 1970.
pub fn unix_time_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).map(Duration::from);
    // Until 2554.
    u64::try_from(now.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Microseconds of `CLOCK_MONOTONIC`, by which processes compare their times.
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    // Linux has this clock.
    u64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

/// What counts on evenly on all CPUs alike, in units that [`Timescale`] knows: to be read twice a
/// vector.
///
/// The kernel's clocks wait until all that goes before is done, which takes longer than reading
/// them; this does not.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if *HAS_EVEN_TSC {
        // SAFETY: every x86-64 CPU has the instruction, and Linux lets all programs use it.
        return unsafe { std::arch::x86_64::_rdtsc() };
    }
    unix_time_ns()
}

/// Whether Linux itself takes the CPU's counter for its time: it has seen that it is even.
#[cfg(target_arch = "x86_64")]
static HAS_EVEN_TSC: LazyLock<bool> = LazyLock::new(|| {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(source).is_ok_and(|name| name.trim() == "tsc")
});

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As [`ticks`] counts.
    pub ticks: u64,
    /// Nanoseconds since 1970.
    pub unix_ns: u64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        // Whoever is interrupted between two readings takes long; the quickest of some was not.
        let readings = std::array::from_fn::<_, 3, _>(|_| {
            let (before, unix_ns, after) = (ticks(), unix_time_ns(), ticks());
            let took = after.wrapping_sub(before);
            let ticks = before.wrapping_add(took / 2);
            (took, Self { ticks, unix_ns })
        });
        let [first, others @ ..] = readings;
        let quickest = others.into_iter().fold(first, |quickest, reading| {
            if reading.0 < quickest.0 {
                reading
            } else {
                quickest
            }
        });
        quickest.1
    }
}

/// What ticks are in nanoseconds since 1970, by two moments around them.
#[derive(Clone, Copy, Debug)]
pub struct Timescale {
    from: Moment,
    ns_per_tick: f64,
}

impl Timescale {
    /// One for what happened between the two, or near them. Of the same moment twice: a tick is
    /// taken for a nanosecond. Where a clock was put back, as by suspending the machine, all
    /// happened at the last of them: nothing better is known.
    pub fn between(from: Moment, to: Moment) -> Self {
        let ticks = to.ticks.checked_sub(from.ticks);
        let ns = to.unix_ns.checked_sub(from.unix_ns);
        match ticks.zip(ns) {
            Some((0, _)) => Self {
                from,
                ns_per_tick: 1.0,
            },
            Some((ticks, ns)) => Self {
                from,
                ns_per_tick: ns as f64 / ticks as f64,
            },
            None => Self {
                from: to,
                ns_per_tick: 0.0,
            },
        }
    }

    /// Nanoseconds since 1970.
    pub fn unix_ns(&self, ticks: u64) -> u64 {
        let behind = ticks.wrapping_sub(self.from.ticks).cast_signed();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole nanoseconds are what is wanted"
        )]
        let ns = (behind as f64 * self.ns_per_tick) as i64;
        self.from.unix_ns.saturating_add_signed(ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_between_two_moments_are_times_between_theirs() {
        let [from, to] =
            [(100, 1_000_000), (300, 1_000_500)].map(|(ticks, unix_ns)| Moment { ticks, unix_ns });
        let scale = Timescale::between(from, to);
        let told = [100, 200, 300, 60, 340].map(|ticks| scale.unix_ns(ticks));
        assert_eq!(told, [1_000_000, 1_000_250, 1_000_500, 999_900, 1_000_600]);
        assert_eq!(Timescale::between(from, from).unix_ns(107), 1_000_007);
        // Clocks that were put back, one or both.
        let set_back = Moment { unix_ns: 7, ..to };
        for ticks in [0, 200, 300, u64::MAX] {
            assert_eq!(Timescale::between(to, from).unix_ns(ticks), 1_000_000);
            assert_eq!(Timescale::between(from, set_back).unix_ns(ticks), 7);
        }
    }

    #[test]
    fn the_cheap_clock_is_as_good_as_the_kernels() {
        let from = Moment::now();
        let readings: Vec<_> = (0..1000)
            .map(|_| (unix_time_ns(), ticks(), unix_time_ns()))
            .collect();
        let scale = Timescale::between(from, Moment::now());
        // Who is interrupted between two readings sees more between them, never less.
        let is_between = |(before, ticks, after): &(u64, u64, u64)| {
            let told = scale.unix_ns(*ticks);
            (before - 1000..=after + 1000).contains(&told)
        };
        let good = readings
            .iter()
            .filter(|reading| is_between(reading))
            .count();
        assert!(good >= 990, "{good} of 1000 within a microsecond");
    }
}
