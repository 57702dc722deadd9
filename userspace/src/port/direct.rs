//! Replies that go to the next hop of the routing table, instead of back to their sender.

use super::{PortEvents, Vector};
use crate::routing::NextHop;

/// Has each reply addressed by `address`, which says where it goes; those that go nowhere are
/// taken out and given to `recycle`.
pub(super) fn direct<F>(
    replies: &mut Vector<F>,
    events: &mut PortEvents,
    mut address: impl FnMut(&mut F) -> NextHop,
    mut recycle: impl FnMut(F),
) {
    let mut at = 0;
    while let Some(frame) = replies.get_mut(at) {
        let next_hop = address(frame);
        events.count(next_hop);
        match next_hop {
            NextHop::Nowhere => recycle(replies.remove(at)),
            _ => at += 1,
        }
    }
}
