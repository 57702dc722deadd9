//! Who looks on: what is written of which queries.

use super::Filter;
use crate::packet::Query;
use arrayvec::ArrayVec;
use std::net::IpAddr;

/// The most that may look on at a time; each has a bit of its own.
pub const TAPS_MAX: usize = 32;

/// One that looks on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Its number, below [`TAPS_MAX`]: the bit in a record's mask.
    pub number: u8,
    /// What it wants to see.
    pub filter: Filter,
    /// It sees one of so many of those; 1: all.
    pub sample: u32,
    /// Bytes of each reply that it needs.
    pub reply_len: u16,
    /// Whether it needs the queries as they came, and not only what is unusual of them.
    pub queries: bool,
}

/// All that look on at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taps {
    taps: ArrayVec<Tap, TAPS_MAX>,
    /// The bits of those that want every query.
    all: u32,
    /// The bits of those that want queries as they came.
    queries: u32,
    /// Those whose filter, or whose sampling, has to be asked.
    asked: ArrayVec<usize, TAPS_MAX>,
    /// Whether some are interested in certain response codes only.
    by_rcode: bool,
    /// The most bytes of a reply that any needs.
    reply_len: usize,
}

/// How many each has let pass since it took one.
pub(super) type Passed = [u32; TAPS_MAX];

impl Taps {
    /// All of these; there are at most [`TAPS_MAX`], with different numbers.
    pub fn new(taps: impl IntoIterator<Item = Tap>) -> Self {
        let taps: ArrayVec<Tap, TAPS_MAX> = taps.into_iter().take(TAPS_MAX).collect();
        let is_asked = |tap: &Tap| tap.sample > 1 || !tap.filter.takes_any_query();
        let bits = |is_one: &dyn Fn(&Tap) -> bool| {
            let ones = taps.iter().filter(|tap| is_one(tap));
            ones.fold(0, |bits, tap| bits | 1 << tap.number)
        };
        Self {
            all: bits(&|tap| !is_asked(tap)),
            queries: bits(&|tap| tap.queries),
            asked: (0..taps.len()).filter(|&at| is_asked(&taps[at])).collect(),
            by_rcode: taps.iter().any(|tap| !tap.filter.rcodes.is_empty()),
            reply_len: taps
                .iter()
                .map(|tap| tap.reply_len.into())
                .max()
                .unwrap_or(0),
            taps,
        }
    }

    /// Whether nobody looks on.
    pub fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// The bits of all, if each wants every reply and no query: nobody has to be asked.
    pub(super) fn simply(&self) -> u32 {
        match self.asked.is_empty() && self.queries == 0 && !self.by_rcode {
            true => self.all,
            false => 0,
        }
    }

    /// The bits of all of them.
    pub(super) fn bits(&self) -> u32 {
        let numbers = self.taps.iter().map(|tap| tap.number);
        numbers.fold(0, |bits, number| bits | 1 << number)
    }

    /// The most bytes of a reply that any needs.
    pub fn reply_len(&self) -> usize {
        self.reply_len
    }

    /// The bits of those that want a query, as far as it can be told without its reply.
    #[inline(always)]
    pub(super) fn select(
        &self,
        query: &Query,
        message: &[u8],
        client: impl Fn() -> IpAddr,
        passed: &mut Passed,
    ) -> u32 {
        match self.asked.is_empty() {
            true => self.all,
            false => self.all | self.ask(query, message, client, passed),
        }
    }

    /// Whether any of these wants the query itself.
    #[inline(always)]
    pub(super) fn want_query(&self, mask: u32) -> bool {
        self.queries & mask != 0
    }

    /// The bits in `mask` of those that want a reply with this code.
    #[inline(always)]
    pub(super) fn with_rcode(&self, mask: u32, rcode: impl Fn() -> u16) -> u32 {
        match self.by_rcode {
            false => mask,
            true => self.by_rcode(mask, rcode()),
        }
    }

    #[inline(never)]
    fn by_rcode(&self, mask: u32, rcode: u16) -> u32 {
        let others = self
            .taps
            .iter()
            .filter(|tap| !tap.filter.takes_rcode(rcode));
        others.fold(mask, |mask, tap| mask & !(1 << tap.number))
    }

    #[inline(never)]
    fn ask(
        &self,
        query: &Query,
        message: &[u8],
        client: impl Fn() -> IpAddr,
        passed: &mut Passed,
    ) -> u32 {
        let mut mask = 0;
        for tap in self.asked.iter().map(|&at| &self.taps[at]) {
            if !tap.filter.takes_query(query, message, &client) {
                continue;
            }
            let passed = &mut passed[usize::from(tap.number) % TAPS_MAX];
            *passed += 1;
            if *passed >= tap.sample {
                *passed = 0;
                mask |= 1 << tap.number;
            }
        }
        mask
    }
}
