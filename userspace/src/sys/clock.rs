//! The time of day.

use nix::time::{ClockId, clock_gettime};
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
