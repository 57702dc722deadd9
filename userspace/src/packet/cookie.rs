//! DNS cookies: server cookies that any server with the same secret makes and checks (RFC 7873,
//! RFC 9018).

use siphasher::sip::SipHasher24;
use std::fmt;
use std::net::IpAddr;

/// Bytes of a client cookie (RFC 7873 §4).
pub const CLIENT_COOKIE_LEN: usize = 8;
/// Bytes of a server cookie as this server makes it (RFC 9018 §4).
const SERVER_COOKIE_LEN: usize = 16;
/// Bytes of an option with both.
pub const COOKIE_LEN: usize = CLIENT_COOKIE_LEN + SERVER_COOKIE_LEN;
/// The one version of server cookies (RFC 9018 §4.1).
const VERSION: u8 = 1;
/// RFC 9018 §4.3: older server cookies are not valid any more,
const AGE_MAX_S: i32 = 3600;
/// those that come from further ahead are not valid yet,
const AHEAD_MAX_S: i32 = 300;
/// and older ones than this are replaced.
const FRESH_S: i32 = 1800;

/// What a query's cookie is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieState {
    /// There is none, or cookies are off.
    #[default]
    Absent,
    /// The client has no server cookie yet.
    ClientOnly,
    /// The server cookie is none of ours, too old, or of another client.
    Invalid,
    /// The server cookie is right, but to be replaced: it grows old, or its secret does.
    Outdated,
    /// The server cookie is right.
    Valid,
}

impl CookieState {
    /// Whether the client has shown that it gets what is sent to its address.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Outdated | Self::Valid)
    }
}

/// A secret that server cookies are made from. Never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 16]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What cookies are made from, and what is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// New ones are made from it.
    pub secret: Secret,
    /// Those made from these are accepted as well, so that secrets can be rolled over (RFC 7873
    /// §7.1).
    pub others: Vec<Secret>,
    /// Clients that know cookies get answers by UDP only for a valid server cookie.
    pub require: bool,
}

impl Cookies {
    /// Judges the option of a query; `None` when it has no legal length (RFC 7873 §5.2.2).
    pub fn check(&self, option: &[u8], client: IpAddr, time_s: u32) -> Option<CookieState> {
        let (own, server) = option.split_first_chunk()?;
        if server.is_empty() {
            return Some(CookieState::ClientOnly);
        }
        // RFC 7873 §4: server cookies have 8 to 32 bytes; those of this server have 16.
        if !(8..=32).contains(&server.len()) {
            return None;
        }
        let Ok(server) = server.try_into() else {
            return Some(CookieState::Invalid);
        };
        Some(self.check_server(own, server, client, time_s))
    }

    fn check_server(
        &self,
        own: &[u8; CLIENT_COOKIE_LEN],
        server: &[u8; SERVER_COOKIE_LEN],
        client: IpAddr,
        time_s: u32,
    ) -> CookieState {
        let [version, _, _, _, stamp @ .., _, _, _, _, _, _, _, _] = *server;
        // RFC 1982 arithmetic: the time stamp wraps round in 2106.
        let age_s = time_s.wrapping_sub(u32::from_be_bytes(stamp)).cast_signed();
        if version != VERSION || !(-AHEAD_MAX_S..=AGE_MAX_S).contains(&age_s) {
            return CookieState::Invalid;
        }
        let (head, hash) = server.split_at(8);
        let made_from = |secret: &Secret| hash_of(secret, own, head, client) == hash;
        if made_from(&self.secret) {
            if age_s > FRESH_S {
                CookieState::Outdated
            } else {
                CookieState::Valid
            }
        } else if self.others.iter().any(made_from) {
            CookieState::Outdated
        } else {
            CookieState::Invalid
        }
    }

    /// The option with a server cookie for `client`, made at `time_s`.
    pub fn make(
        &self,
        own: &[u8; CLIENT_COOKIE_LEN],
        client: IpAddr,
        time_s: u32,
    ) -> [u8; COOKIE_LEN] {
        let mut option = [0; COOKIE_LEN];
        option[..8].copy_from_slice(own);
        option[8] = VERSION;
        option[12..16].copy_from_slice(&time_s.to_be_bytes());
        let hash = hash_of(&self.secret, own, &option[8..16], client);
        option[16..].copy_from_slice(&hash);
        option
    }
}

/// RFC 9018 §4.4: SipHash-2-4 of client cookie, version, reserved, time stamp and client address.
fn hash_of(secret: &Secret, own: &[u8; 8], head: &[u8], client: IpAddr) -> [u8; 8] {
    let mut input = [0; 32];
    input[..8].copy_from_slice(own);
    input[8..16].copy_from_slice(head);
    let len = match client.to_canonical() {
        IpAddr::V4(address) => {
            input[16..20].copy_from_slice(&address.octets());
            20
        }
        IpAddr::V6(address) => {
            input[16..].copy_from_slice(&address.octets());
            32
        }
    };
    let hasher = SipHasher24::new_with_key(&secret.0);
    hasher.hash(&input[..len]).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9018 appendix A.
    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const CLIENT: &str = "198.51.100.100";
    const LEARNT: &str = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    const RENEWED: &str = "2464c4abcf10c957010000005cf7a871d4a564a1442aca77";
    const OTHER_CLIENT: &str = "203.0.113.203";
    const OTHER: &str = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    const OTHER_RENEWED: &str = "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e";
    const V6_CLIENT: &str = "2001:db8:220:1:59de:d0f4:8769:82b8";
    const V6_OLD_SECRET: &str = "dd3bdf9344b678b185a6f5cb60fca715";
    const V6_SECRET: &str = "445536bcd2513298075a5d379663c962";
    const V6: &str = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
    const V6_RENEWED: &str = "22681ab97d52c298010000005cf7c609a6bb79d16625507a";

    #[test]
    fn a_new_server_cookie_is_as_in_rfc_9018_a_1() {
        assert_eq!(made(&cookies(SECRET, &[]), LEARNT, CLIENT), LEARNT);
    }

    #[test]
    fn an_ageing_server_cookie_is_renewed_as_in_rfc_9018_a_2() {
        let cookies = cookies(SECRET, &[]);
        let state = check(&cookies, LEARNT, CLIENT, time(RENEWED));
        assert_eq!(state, Some(CookieState::Outdated));
        assert_eq!(made(&cookies, RENEWED, CLIENT), RENEWED);
    }

    #[test]
    fn reserved_bytes_are_hashed_as_they_came_as_in_rfc_9018_a_3() {
        let cookies = cookies(SECRET, &[]);
        let at = time(OTHER) + 1900;
        assert_eq!(
            check(&cookies, OTHER, OTHER_CLIENT, at),
            Some(CookieState::Outdated)
        );
        assert_eq!(made(&cookies, OTHER_RENEWED, OTHER_CLIENT), OTHER_RENEWED);
    }

    #[test]
    fn a_rolled_over_secret_is_accepted_and_replaced_as_in_rfc_9018_a_4() {
        let at = time(V6_RENEWED);
        let rolled = cookies(V6_SECRET, &[V6_OLD_SECRET]);
        assert_eq!(
            check(&rolled, V6, V6_CLIENT, at),
            Some(CookieState::Outdated)
        );
        assert_eq!(made(&rolled, V6_RENEWED, V6_CLIENT), V6_RENEWED);
        let forgotten = cookies(V6_SECRET, &[]);
        assert_eq!(
            check(&forgotten, V6, V6_CLIENT, at),
            Some(CookieState::Invalid)
        );
    }

    #[test]
    fn a_server_cookie_is_valid_for_an_hour_and_fresh_for_half_of_it() {
        use CookieState::{Invalid, Outdated, Valid};
        let cookies = cookies(SECRET, &[]);
        let made_at = time(LEARNT);
        for (age_s, state) in [
            (-301, Invalid),
            (-300, Valid),
            (0, Valid),
            (1800, Valid),
            (1801, Outdated),
            (3600, Outdated),
            (3601, Invalid),
        ] {
            let at = made_at.wrapping_add_signed(age_s);
            assert_eq!(check(&cookies, LEARNT, CLIENT, at), Some(state), "{age_s}");
        }
    }

    #[test]
    fn time_stamps_wrap_round() {
        let cookies = cookies(SECRET, &[]);
        let client = CLIENT.parse().unwrap();
        let option = cookies.make(&[7; 8], client, u32::MAX - 9);
        assert_eq!(cookies.check(&option, client, 10), Some(CookieState::Valid));
    }

    #[test]
    fn every_bit_of_a_cookie_and_the_address_count() {
        let cookies = cookies(SECRET, &[]);
        let option = bytes::<COOKIE_LEN>(LEARNT);
        let client = CLIENT.parse().unwrap();
        for bit in 0..8 * COOKIE_LEN {
            let mut other = option;
            other[bit / 8] ^= 1 << (bit % 8);
            let state = cookies.check(&other, client, time(LEARNT));
            assert_eq!(state, Some(CookieState::Invalid), "bit {bit}");
        }
        let at = time(LEARNT);
        for client in [OTHER_CLIENT, V6_CLIENT] {
            assert_eq!(
                check(&cookies, LEARNT, client, at),
                Some(CookieState::Invalid)
            );
        }
        let mapped = format!("::ffff:{CLIENT}");
        assert_eq!(
            check(&cookies, LEARNT, &mapped, at),
            Some(CookieState::Valid)
        );
    }

    #[test]
    fn lengths_are_those_of_rfc_7873() {
        let cookies = cookies(SECRET, &[]);
        for len in 0..50 {
            let state = match len {
                8 => Some(CookieState::ClientOnly),
                16..=40 => Some(CookieState::Invalid),
                _ => None,
            };
            let option = vec![b'c'; len];
            let client = CLIENT.parse().unwrap();
            assert_eq!(cookies.check(&option, client, 0), state, "{len} bytes");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", cookies(SECRET, &[V6_SECRET]));
        assert!(!shown.contains("229") && !shown.contains("e5"), "{shown}");
    }

    fn cookies(secret: &str, others: &[&str]) -> Cookies {
        let others = others.iter().map(|secret| Secret(bytes(secret)));
        Cookies {
            secret: Secret(bytes(secret)),
            others: others.collect(),
            require: false,
        }
    }

    fn check(cookies: &Cookies, option: &str, client: &str, time_s: u32) -> Option<CookieState> {
        cookies.check(
            &bytes::<COOKIE_LEN>(option),
            client.parse().unwrap(),
            time_s,
        )
    }

    /// A cookie for the client of `option` and its time, in hexadecimal digits.
    fn made(cookies: &Cookies, option: &str, client: &str) -> String {
        let bytes = bytes::<COOKIE_LEN>(option);
        let own = bytes.first_chunk().unwrap();
        let made = cookies.make(own, client.parse().unwrap(), time(option));
        made.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The time stamp in an option.
    fn time(option: &str) -> u32 {
        u32::from_str_radix(&option[24..32], 16).unwrap()
    }

    fn bytes<const LEN: usize>(hex: &str) -> [u8; LEN] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }
}
