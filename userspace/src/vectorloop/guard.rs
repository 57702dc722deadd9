//! Who is answered, and how much: held against every query, where there is anything to hold.

use super::Turn;
use super::limiter::{Admission, Limiter};
use super::miss::settle;
use super::open::arrival_of;
use crate::packet::reply::Transport;
use crate::packet::{Arrival, Query, QueryFlags};
use crate::port::Port;
use crate::snapshot::{Access, Guards, Snapshot};
use crate::telemetry::{Discard, Event, Rcode, Tally};

impl<F> Turn<F> {
    /// Holds the guards against a vector: what they do not let through is discarded, or gets a
    /// reply without records.
    #[inline(never)]
    pub(super) fn guard<P>(
        &mut self,
        port: &P,
        guards: &Guards,
        snapshot: &Snapshot,
        time_s: u32,
        tally: &mut Tally,
    ) where
        P: Port<Frame = F>,
    {
        for (frame, row) in self.frames.iter().zip(&mut self.rows) {
            if row.is_discarded {
                continue;
            }
            let arrival = arrival_of(port, frame, &row.envelope, time_s);
            let message = &port.bytes(frame)[row.envelope.message()];
            let query = &mut row.query;
            let admitted = admit(query, message, &arrival, guards, snapshot).and_then(|()| {
                let limiter = &mut self.limiter;
                limit(limiter, query, message, &arrival, guards, snapshot, tally)
            });
            if let Err(reason) = admitted {
                tally.discard(reason);
                row.is_discarded = true;
                self.discarded += 1;
            }
        }
    }
}

/// Refuses the query of a client that is not to be answered.
fn admit(
    query: &mut Query,
    message: &[u8],
    arrival: &Arrival,
    guards: &Guards,
    snapshot: &Snapshot,
) -> Result<(), Discard> {
    match guards.access(arrival.client) {
        Access::Answer => Ok(()),
        Access::Drop => Err(Discard::Denied),
        Access::Refuse => {
            strip(query, message, arrival, snapshot, Rcode::Refused);
            Ok(())
        }
    }
}

/// Holds a client's network to its limit. Who has a right cookie, or a connection, is who it says,
/// and has none.
fn limit(
    limiter: &mut Limiter,
    query: &mut Query,
    message: &[u8],
    arrival: &Arrival,
    guards: &Guards,
    snapshot: &Snapshot,
    tally: &mut Tally,
) -> Result<(), Discard> {
    let is_proven = query.cookie.is_valid() || arrival.transport == Transport::Tcp;
    let limit = guards.rate(arrival.client);
    let Some(limit) = limit.filter(|_| !is_proven) else {
        return Ok(());
    };
    match limiter.admit(arrival.client, arrival.time_s, limit) {
        Admission::Reply => Ok(()),
        Admission::Drop => Err(Discard::RateLimited),
        Admission::Slip => {
            strip(query, message, arrival, snapshot, Rcode::NoError);
            query.flags = query.flags.with(QueryFlags::SLIPPED);
            tally.add(Event::Slipped, 1);
            Ok(())
        }
    }
}

/// Lets the reply have no records but a response code; this one, if there is none yet.
fn strip(query: &mut Query, message: &[u8], arrival: &Arrival, snapshot: &Snapshot, rcode: Rcode) {
    // Nobody looks the name up, so nobody finds out whether it was guessed right.
    settle(query, message, None, || *arrival, snapshot);
    query.refusal.get_or_insert(rcode);
}
