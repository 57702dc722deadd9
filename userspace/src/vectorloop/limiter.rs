//! How much each network has been answered lately: one worker's count.
//!
//! A network has a bucket of `burst` tokens, of which each reply takes one and each second gives
//! back `per_second`. The table has a fixed size and is never searched: a bucket is in one of two
//! slots, and where both are others', the one that has rested longest is taken over as it is. So
//! whoever forges addresses from everywhere makes networks share buckets, and nothing worse.

use crate::snapshot::RateLimit;
use std::net::IpAddr;

/// Slots of a table: 384 KiB, of which only what is used is ever touched.
const SLOTS: usize = 1 << 15;

/// What is done with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is sent.
    Reply,
    /// It is sent without records, with the TC bit: a client that is there comes back by TCP.
    Slip,
    /// Nothing is sent.
    Drop,
}

/// The buckets of one worker.
#[derive(Debug)]
pub(super) struct Limiter {
    slots: Box<[Slot]>,
    /// Replies beyond the limit so far, for `slip`.
    limited: u32,
}

/// A network's bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    /// Says whose it is; 0: nobody's.
    tag: u32,
    /// When it was last looked at, in seconds.
    time_s: u32,
    /// Tokens that are gone.
    used: u32,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::default(); SLOTS].into_boxed_slice(),
            limited: 0,
        }
    }

    /// Whether a client gets one more reply at this time.
    pub(super) fn admit(&mut self, client: IpAddr, time_s: u32, limit: &RateLimit) -> Admission {
        if self.slot(limit.hash(client), time_s).take(time_s, limit) {
            return Admission::Reply;
        }
        self.limited = self.limited.wrapping_add(1);
        match u32::from(limit.slip) {
            0 => Admission::Drop,
            slip if self.limited.is_multiple_of(slip) => Admission::Slip,
            _ => Admission::Drop,
        }
    }

    /// The slot of the network with this hash.
    fn slot(&mut self, hash: u64, time_s: u32) -> &mut Slot {
        let tag = u32::try_from(hash >> 32).unwrap_or(0) | 1;
        let first = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        let second = first ^ 1;
        let (one, other) = (self.slots[first], self.slots[second]);
        let at = match tag {
            _ if one.tag == tag => first,
            _ if other.tag == tag => second,
            _ if one.rest(time_s) >= other.rest(time_s) => first,
            _ => second,
        };
        self.slots[at].tag = tag;
        &mut self.slots[at]
    }
}

impl Slot {
    /// Seconds since it was last looked at; nobody's has rested longest.
    fn rest(&self, time_s: u32) -> u32 {
        match self.tag {
            0 => u32::MAX,
            _ => time_s.saturating_sub(self.time_s),
        }
    }

    /// Takes a token, if there is one.
    fn take(&mut self, time_s: u32, limit: &RateLimit) -> bool {
        let given = time_s
            .saturating_sub(self.time_s)
            .saturating_mul(limit.per_second);
        self.used = self.used.saturating_sub(given);
        self.time_s = time_s;
        let is_left = self.used < limit.burst;
        self.used += u32::from(is_left);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn limit(per_second: u32, burst: u32, slip: u8) -> RateLimit {
        RateLimit {
            per_second,
            burst,
            slip,
            ipv4_prefix_len: 24,
            ipv6_prefix_len: 56,
            key: [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9],
        }
    }

    /// How many of `count` replies in one second are sent.
    fn sent(limiter: &mut Limiter, client: &str, time_s: u32, limit: &RateLimit) -> usize {
        let client = client.parse().unwrap();
        let admissions = (0..1000).map(|_| limiter.admit(client, time_s, limit));
        admissions.filter(|&a| a == Admission::Reply).count()
    }

    #[test]
    fn a_network_gets_its_burst_and_then_so_many_a_second() {
        let (mut limiter, limit) = (Limiter::new(), limit(10, 30, 0));
        assert_eq!(sent(&mut limiter, "192.0.2.1", 100, &limit), 30);
        assert_eq!(
            sent(&mut limiter, "192.0.2.200", 100, &limit),
            0,
            "the same network"
        );
        assert_eq!(
            sent(&mut limiter, "192.0.3.1", 100, &limit),
            30,
            "another one"
        );
        assert_eq!(sent(&mut limiter, "192.0.2.1", 101, &limit), 10);
        assert_eq!(sent(&mut limiter, "192.0.2.1", 103, &limit), 20);
        assert_eq!(sent(&mut limiter, "192.0.2.1", 1000, &limit), 30);
        assert_eq!(
            sent(&mut limiter, "192.0.2.1", 999, &limit),
            0,
            "the clock went back"
        );
        assert_eq!(sent(&mut limiter, "2001:db8::1", 100, &limit), 30);
        assert_eq!(sent(&mut limiter, "2001:db8:0:ff::1", 100, &limit), 0);
        assert_eq!(sent(&mut limiter, "2001:db8:0:100::1", 100, &limit), 30);
    }

    #[test]
    fn of_what_is_limited_every_so_many_slips() {
        let client = "192.0.2.1".parse().unwrap();
        for (slip, slipped) in [(0, 0), (1, 90), (2, 45), (10, 9)] {
            let (mut limiter, limit) = (Limiter::new(), limit(10, 10, slip));
            let admissions = (0..100).map(|_| limiter.admit(client, 1, &limit));
            let count = admissions.filter(|&a| a == Admission::Slip).count();
            assert_eq!(count, slipped, "{slip}");
        }
    }

    #[test]
    fn a_flood_from_everywhere_gives_nobody_more_than_a_bucket_of_the_table() {
        let (mut limiter, limit) = (Limiter::new(), limit(1, 5, 0));
        let mut sent = 0;
        for network in 0..1 << 19 {
            let client = Ipv4Addr::from_bits(network << 8).into();
            for _ in 0..3 {
                sent += usize::from(limiter.admit(client, 7, &limit) == Admission::Reply);
            }
        }
        assert!(sent <= SLOTS * 5, "{sent}");
        assert!(sent > SLOTS * 4, "{sent}: buckets are wasted");
    }
}
