//! How many replies a network gets by UDP: what a server that is misused to flood others with
//! answers can do about it.

use std::net::IpAddr;

/// A limit for each network; see `vectorloop/limiter.rs` for who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Replies a second, from each worker.
    pub per_second: u32,
    /// Replies at once, where there were none before; not less than in a second.
    pub burst: u32,
    /// Every so many replies beyond the limit are sent without records and with the TC bit; 0:
    /// none.
    pub slip: u8,
    /// Bits that the addresses of a network share, with IPv4.
    pub ipv4_prefix_len: u8,
    /// The same with IPv6, 64 at most.
    pub ipv6_prefix_len: u8,
    /// Nobody else knows it: else clients could choose whom they share a bucket with.
    pub key: [u64; 2],
}

impl RateLimit {
    /// A number for the network that an address is in: the high half says which, the low half where
    /// to look for it.
    #[inline]
    pub fn hash(&self, client: IpAddr) -> u64 {
        let (bits, unused, family) = match client {
            IpAddr::V4(client) => (
                u64::from(client.to_bits()) << 32,
                64 - u32::from(self.ipv4_prefix_len),
                0,
            ),
            IpAddr::V6(client) => (
                u64::from_be_bytes(*client.octets().first_chunk().unwrap_or(&[0; 8])),
                64 - u32::from(self.ipv6_prefix_len).min(64),
                1,
            ),
        };
        let network = bits & u64::MAX.checked_shl(unused).unwrap_or(0);
        let product =
            u128::from((network | family) ^ self.key[0]).wrapping_mul(u128::from(self.key[1] | 1));
        let folded = u64::try_from(product >> 64 ^ product & u128::from(u64::MAX)).unwrap_or(0);
        // Once more: the low bits of a product are those of low bits only.
        folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ folded >> 29
    }
}
