//! Which replies leave together: a train of them to one client is one message to the kernel, which
//! takes it apart again below the routes and the filters (UDP_SEGMENT, udp(7)).

use super::endpoint::Endpoint;
use crate::port::VECTOR_CAPACITY;
use arrayvec::ArrayVec;

/// Replies of a train, at most: the kernel's UDP_MAX_SEGMENTS before Linux 6.9.
pub(super) const TRAIN_MAX: usize = 64;
/// The longest reply that may have others behind it: the kernel refuses trains whose parts would be
/// fragments, and this much fits every link that carries IPv6.
const SEGMENT_MAX: u16 = 1232;
/// Bytes of a train, at most: the largest UDP payload that IPv4 carries.
const TRAIN_BYTES_MAX: usize = 65_507;

/// A reply: the slot that it is in, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) slot: u16,
    pub(super) len: u16,
}

/// Replies of one vector, in the order in which they leave.
pub(super) type Replies = ArrayVec<Reply, VECTOR_CAPACITY>;

/// Puts the replies to a client next to each other, in the order of its queries.
pub(super) fn order(replies: &Replies, endpoints: &[Endpoint]) -> Replies {
    let keys = (0..).zip(replies).map(|(position, reply)| {
        let client = endpoints[usize::from(reply.slot)].client_key();
        (client, position)
    });
    let mut keys: ArrayVec<(u64, u16), VECTOR_CAPACITY> = keys.collect();
    keys.sort_unstable();
    let positions = keys.iter().map(|&(_, position)| usize::from(position));
    positions.map(|position| replies[position]).collect()
}

/// How many of the first `replies` make a train: all are as long as the first, but for the last,
/// which may be shorter.
pub(super) fn train(replies: &[Reply], endpoints: &[Endpoint]) -> usize {
    let Some((first, rest)) = replies.split_first() else {
        return 0;
    };
    if first.len > SEGMENT_MAX {
        return 1;
    }
    let ends = &endpoints[usize::from(first.slot)];
    let (mut count, mut last) = (1, first.len);
    for reply in rest {
        let fits = count < TRAIN_MAX
            && last == first.len
            && reply.len <= first.len
            // One without a byte would be no part of it.
            && reply.len > 0
            && usize::from(first.len) * count + usize::from(reply.len) <= TRAIN_BYTES_MAX;
        if !fits || !endpoints[usize::from(reply.slot)].has_ends_of(ends) {
            break;
        }
        count += 1;
        last = reply.len;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    /// The trains that replies to these clients, of these lengths, leave in: client and lengths.
    fn trains(replies: &[(&str, u16)]) -> Vec<(SocketAddr, Vec<u16>)> {
        let addresses = replies.iter().map(|(client, _)| client.parse().unwrap());
        let endpoints: Vec<_> = addresses.map(Endpoint::of_client).collect();
        let replies: Replies = (0..)
            .zip(replies)
            .map(|(slot, &(_, len))| Reply { slot, len })
            .collect();
        let ordered = order(&replies, &endpoints);
        let (mut at, mut trains) = (0, Vec::new());
        while at < ordered.len() {
            let count = train(&ordered[at..], &endpoints);
            let members = &ordered[at..at + count];
            let client = endpoints[usize::from(members[0].slot)].client().unwrap();
            trains.push((client, members.iter().map(|reply| reply.len).collect()));
            at += count;
        }
        trains.sort();
        trains
    }

    fn expected(trains: &[(&str, &[u16])]) -> Vec<(SocketAddr, Vec<u16>)> {
        let mut trains: Vec<_> = trains
            .iter()
            .map(|(client, lens)| (client.parse().unwrap(), lens.to_vec()))
            .collect();
        trains.sort();
        trains
    }

    #[test]
    fn a_train_is_one_client_s_and_only_its_last_reply_is_shorter() {
        let (one, port, other) = ("192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.2:1000");
        let replies = [
            (one, 60),
            (other, 60),
            (one, 90),
            (port, 60),
            (one, 90),
            (one, 50),
        ];
        assert_eq!(
            trains(&replies),
            expected(&[
                (one, &[60]),
                (one, &[90, 90, 50]),
                (port, &[60]),
                (other, &[60])
            ])
        );
        let (v6, v6_other) = ("[2001:db8::1]:1000", "[2001:db8::2]:1000");
        let replies = [(v6, 40), (v6_other, 40), (v6, 40), (v6_other, 41)];
        assert_eq!(
            trains(&replies),
            expected(&[(v6, &[40, 40]), (v6_other, &[40]), (v6_other, &[41])])
        );
    }

    #[test]
    fn a_train_is_no_longer_than_the_kernel_takes() {
        let client = "192.0.2.1:1000";
        let lens = |replies: &[(&str, u16)]| -> Vec<usize> {
            trains(replies).iter().map(|(_, lens)| lens.len()).collect()
        };
        assert_eq!(lens(&[(client, 100); 130]), [2, 64, 64]);
        // 53 times 1,232 bytes are 65,296.
        assert_eq!(lens(&[(client, 1232); 60]), [7, 53]);
        assert_eq!(lens(&[(client, 1233); 3]), [1, 1, 1]);
        assert_eq!(lens(&[(client, 0); 2]), [1, 1]);
    }

    #[test]
    fn replies_to_one_client_stay_in_order() {
        let endpoints = vec![Endpoint::of_client("192.0.2.1:1000".parse().unwrap()); 9];
        let replies: Replies = [4, 8, 2, 0]
            .map(|slot| Reply {
                slot,
                len: 50 + slot,
            })
            .into_iter()
            .collect();
        assert_eq!(order(&replies, &endpoints), replies);
    }
}
