//! `[edns]`, `[cookies]`, `[chaos]` and `geo.weighted`: what is answered beside the zones' data.

use super::ConfigError;
use super::networks::networks;
use crate::geo::Network;
use crate::packet::cookie::{Cookies, Secret};
use crate::packet::reply::NSID_LEN_MAX;
use crate::snapshot::{Chaos, TEXT_LEN_MAX, Weighted};
use serde::Deserialize;

/// What is answered beside the zones' data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The identifier of this server (RFC 5001); empty: there is none.
    pub nsid: Vec<u8>,
    /// Whether client subnets are read and answered (RFC 7871).
    pub client_subnet: bool,
    /// The networks whose client subnets are read; `None`: everybody's.
    pub client_subnet_from: Option<Box<[Network]>>,
    /// How one of several variants for a region is chosen.
    pub weighted: Weighted,
    /// Whether errors say more than their response code (RFC 8914).
    pub extended_errors: bool,
    /// What is done with cookies.
    pub cookie_policy: CookiePolicy,
    /// Secrets of server cookies: the first makes them, all are good for checking. Without any, one
    /// is drawn at the start.
    pub cookie_secrets: Vec<Secret>,
    /// What is told in class CH.
    pub chaos: Chaos,
}

/// What is done with cookies (RFC 7873 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookiePolicy {
    /// They are ignored.
    Off,
    /// They are answered; a wrong one is replaced, and costs nothing.
    #[default]
    Answer,
    /// By UDP a client that knows cookies gets BADCOOKIE until it has a right one.
    Require,
}

impl Answers {
    /// The cookies of a server that draws `random` when no secret is configured.
    pub fn cookies(&self, random: Secret) -> Option<Cookies> {
        if self.cookie_policy == CookiePolicy::Off {
            return None;
        }
        let (secret, others) = match self.cookie_secrets.split_first() {
            Some((first, others)) => (*first, others.to_vec()),
            None => (random, Vec::new()),
        };
        Some(Cookies {
            secret,
            others,
            require: self.cookie_policy == CookiePolicy::Require,
        })
    }
}

/// `[edns]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edns {
    nsid: Option<String>,
    client_subnet: Option<bool>,
    client_subnet_from: Option<Vec<String>>,
    extended_errors: Option<bool>,
}

/// `[cookies]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CookieOptions {
    policy: CookiePolicy,
    secrets: Vec<String>,
}

/// `[chaos]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChaosOptions {
    version: String,
    hostname: String,
    id: String,
}

/// Checks the three sections.
pub(super) fn check(
    edns: &Edns,
    cookies: &CookieOptions,
    chaos: &ChaosOptions,
    weighted: Weighted,
) -> Result<Answers, ConfigError> {
    let texts = [
        ("chaos.version", &chaos.version),
        ("chaos.hostname", &chaos.hostname),
        ("chaos.id", &chaos.id),
    ];
    for (option, text) in texts {
        if text.len() > TEXT_LEN_MAX {
            let problem = format!("{} bytes are more than {TEXT_LEN_MAX}", text.len());
            return Err(ConfigError::option(option, problem));
        }
    }
    let secrets = cookies.secrets.iter().enumerate().map(|(at, text)| {
        // The text itself stays out of the log.
        let problem = format!("number {} is not 32 hexadecimal digits", at + 1);
        secret(text).ok_or_else(|| ConfigError::option("cookies.secrets", problem))
    });
    let subnet_from = edns.client_subnet_from.as_deref();
    let subnet_from = subnet_from.map(|texts| networks("edns.client_subnet_from", texts));
    Ok(Answers {
        nsid: nsid(edns.nsid.as_deref().unwrap_or_default())?,
        client_subnet: edns.client_subnet.unwrap_or(true),
        client_subnet_from: subnet_from.transpose()?.map(Vec::into_boxed_slice),
        weighted,
        extended_errors: edns.extended_errors.unwrap_or(true),
        cookie_policy: cookies.policy,
        cookie_secrets: secrets.collect::<Result<_, _>>()?,
        // A server says of itself what it was told to say, and nothing else.
        chaos: Chaos::new(&chaos.version, &chaos.hostname, &chaos.id),
    })
}

/// Text as it is, or hexadecimal digits behind `0x`.
fn nsid(text: &str) -> Result<Vec<u8>, ConfigError> {
    let bytes = match text.strip_prefix("0x") {
        None => text.as_bytes().to_vec(),
        Some(digits) => hex(digits).ok_or_else(|| {
            let problem = format!("{text:?} has no even number of hexadecimal digits behind 0x");
            ConfigError::option("edns.nsid", problem)
        })?,
    };
    if bytes.len() > NSID_LEN_MAX {
        let problem = format!("{} bytes are more than {NSID_LEN_MAX}", bytes.len());
        return Err(ConfigError::option("edns.nsid", problem));
    }
    Ok(bytes)
}

fn secret(text: &str) -> Option<Secret> {
    hex(text)?.try_into().map(Secret).ok()
}

/// The bytes that pairs of hexadecimal digits stand for.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let bytes = digits.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nsid_is_text_or_hexadecimal() {
        assert_eq!(nsid("").unwrap(), b"");
        assert_eq!(nsid("fra1").unwrap(), b"fra1");
        assert_eq!(nsid("0x00fFa0").unwrap(), [0, 0xff, 0xa0]);
        assert_eq!(nsid(&"x".repeat(128)).unwrap().len(), 128);
        for bad in ["0x1", "0xgg", "0x+1", &"x".repeat(129)] {
            let error = nsid(bad).unwrap_err().to_string();
            assert!(error.starts_with("edns.nsid: "), "{error}");
        }
    }

    #[test]
    fn client_subnets_may_be_read_from_some_networks_only() {
        let from = |client_subnet_from| {
            let edns = Edns {
                client_subnet_from,
                ..Edns::default()
            };
            let (cookies, chaos, weighted) = Default::default();
            check(&edns, &cookies, &chaos, weighted).map(|answers| answers.client_subnet_from)
        };
        let read = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
            from(Some(texts)).map(|networks| networks.unwrap().len())
        };
        assert_eq!(from(None).unwrap(), None);
        assert_eq!(read(&[]).unwrap(), 0);
        assert_eq!(read(&["192.0.2.0/24", "2001:db8::/32", "::/0"]).unwrap(), 3);
        for bad in [
            "",
            "192.0.2.0",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "x/1",
            "::/129",
            "::/-1",
        ] {
            let error = read(&["::1/128", bad]).unwrap_err().to_string();
            assert!(error.starts_with("edns.client_subnet_from: "), "{error}");
        }
    }

    #[test]
    fn secrets_have_128_bits_and_stay_out_of_errors() {
        let digits = "e5e973e5a6b2a43f48e7dc849e37bfcf";
        assert_eq!(secret(digits).unwrap().0[..2], [0xe5, 0xe9]);
        for bad in ["", "secret", &digits[2..], &format!("{digits}00")] {
            let options = CookieOptions {
                secrets: vec![digits.to_owned(), bad.to_owned()],
                ..CookieOptions::default()
            };
            let checked = check(
                &Edns::default(),
                &options,
                &ChaosOptions::default(),
                Weighted::default(),
            );
            assert_eq!(
                checked.unwrap_err().to_string(),
                "cookies.secrets: number 2 is not 32 hexadecimal digits"
            );
        }
    }

    #[test]
    fn the_first_secret_makes_cookies_and_chance_only_without_any() {
        let mut answers = defaults();
        let random = Secret([9; 16]);
        let cookies = answers.cookies(random).unwrap();
        assert_eq!((cookies.secret, cookies.require), (random, false));
        answers.cookie_secrets = vec![Secret([1; 16]), Secret([2; 16])];
        answers.cookie_policy = CookiePolicy::Require;
        let cookies = answers.cookies(random).unwrap();
        assert_eq!(cookies.secret, Secret([1; 16]));
        assert_eq!(cookies.others, [Secret([2; 16])]);
        assert!(cookies.require);
        answers.cookie_policy = CookiePolicy::Off;
        assert_eq!(answers.cookies(random), None);
    }

    #[test]
    fn texts_of_class_ch_fit_into_a_character_string() {
        for (option, version) in [(None, 255), (Some("chaos.version: 256 bytes"), 256)] {
            let options = ChaosOptions {
                version: "v".repeat(version),
                ..ChaosOptions::default()
            };
            let (edns, cookies, weighted) = Default::default();
            let checked = check(&edns, &cookies, &options, weighted);
            let error = checked.err().map(|error| error.to_string());
            assert_eq!(
                error
                    .as_ref()
                    .map(|error| error.starts_with(option.unwrap())),
                option.map(|_| true)
            );
        }
    }

    #[test]
    fn by_default_nothing_is_told_that_nobody_configured() {
        let answers = defaults();
        assert_eq!(
            (&answers.nsid[..], &answers.chaos),
            (&b""[..], &Chaos::default())
        );
        assert!(answers.client_subnet && answers.extended_errors);
        assert_eq!(answers.cookie_policy, CookiePolicy::Answer);
    }

    fn defaults() -> Answers {
        let (edns, cookies, chaos, weighted) = Default::default();
        check(&edns, &cookies, &chaos, weighted).unwrap()
    }
}
