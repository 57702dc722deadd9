//! Parameters of service bindings (RFC 9460 §2.2, §7).

/// Keys of parameters (IANA: Service Parameter Keys).
pub(crate) mod key {
    pub(crate) const MANDATORY: u16 = 0;
    pub(crate) const ALPN: u16 = 1;
    pub(crate) const NO_DEFAULT_ALPN: u16 = 2;
    pub(crate) const PORT: u16 = 3;
    pub(crate) const IPV4HINT: u16 = 4;
    pub(crate) const ECH: u16 = 5;
    pub(crate) const IPV6HINT: u16 = 6;
    pub(crate) const DOHPATH: u16 = 7;
    pub(crate) const OHTTP: u16 = 8;
    pub(crate) const TLS_SUPPORTED_GROUPS: u16 = 9;

    /// The keys that have a name in text.
    pub(crate) const NAMES: [(&[u8], u16); 10] = [
        (b"mandatory", MANDATORY),
        (b"alpn", ALPN),
        (b"no-default-alpn", NO_DEFAULT_ALPN),
        (b"port", PORT),
        (b"ipv4hint", IPV4HINT),
        (b"ech", ECH),
        (b"ipv6hint", IPV6HINT),
        (b"dohpath", DOHPATH),
        (b"ohttp", OHTTP),
        (b"tls-supported-groups", TLS_SUPPORTED_GROUPS),
    ];
}

/// Says what is wrong with a list of parameters, if anything.
pub(super) fn check(params: &[u8]) -> Result<(), &'static str> {
    let mut previous = None;
    let (mut mandatory, mut has_alpn, mut has_no_default_alpn) = (&[][..], false, false);
    for param in Params(params) {
        let (key, value) = param?;
        // RFC 9460 §2.2: keys ascend strictly.
        if previous.is_some_and(|previous| previous >= key) {
            return Err("the parameters' keys are not in ascending order");
        }
        previous = Some(key);
        check_value(key, value)?;
        match key {
            key::MANDATORY => mandatory = value,
            key::ALPN => has_alpn = true,
            key::NO_DEFAULT_ALPN => has_no_default_alpn = true,
            _ => {}
        }
    }
    if has_no_default_alpn && !has_alpn {
        return Err("no-default-alpn wants alpn beside it");
    }
    for wanted in mandatory.chunks_exact(2) {
        let wanted = u16::from_be_bytes([wanted[0], wanted[1]]);
        if !Params(params).flatten().any(|(key, _)| key == wanted) {
            return Err("a key that is mandatory has no parameter");
        }
    }
    Ok(())
}

/// Checks a value by its key (RFC 9460 §7, §8; RFC 9461 §5; RFC 9540 §4).
fn check_value(key: u16, value: &[u8]) -> Result<(), &'static str> {
    let is_list_of = |size| !value.is_empty() && value.len().is_multiple_of(size);
    match key {
        key::MANDATORY if !is_list_of(2) => Err("mandatory wants a list of keys"),
        key::MANDATORY if !is_ascending_without_mandatory(value) => {
            Err("mandatory wants every key once, and not itself")
        }
        key::ALPN if !is_list_of_texts(value) => Err("alpn wants a list of protocols"),
        key::NO_DEFAULT_ALPN | key::OHTTP if !value.is_empty() => {
            Err("no-default-alpn and ohttp have no value")
        }
        key::PORT if value.len() != 2 => Err("port wants one number"),
        key::IPV4HINT if !is_list_of(4) => Err("ipv4hint wants a list of IPv4 addresses"),
        key::ECH if value.is_empty() => Err("ech wants a value"),
        key::IPV6HINT if !is_list_of(16) => Err("ipv6hint wants a list of IPv6 addresses"),
        key::DOHPATH if value.is_empty() => Err("dohpath wants a value"),
        key::TLS_SUPPORTED_GROUPS if !is_list_of(2) => {
            Err("tls-supported-groups wants a list of numbers")
        }
        u16::MAX => Err("key65535 is reserved"),
        _ => Ok(()),
    }
}

/// RFC 9460 §8: keys in ascending order, none twice, not `mandatory` itself.
fn is_ascending_without_mandatory(value: &[u8]) -> bool {
    let keys = || value.chunks_exact(2).map(|key| [key[0], key[1]]);
    keys().all(|key| key != [0, 0]) && keys().zip(keys().skip(1)).all(|(left, right)| left < right)
}

/// RFC 9460 §7.1.1: length octets and protocols, none of them empty.
fn is_list_of_texts(mut value: &[u8]) -> bool {
    if value.is_empty() {
        return false;
    }
    while let Some((&len, rest)) = value.split_first() {
        match rest.get(usize::from(len)..) {
            Some(rest) if len > 0 => value = rest,
            _ => return false,
        }
    }
    true
}

/// The parameters in wire form, one by one: key and value.
struct Params<'a>(&'a [u8]);

impl<'a> Iterator for Params<'a> {
    type Item = Result<(u16, &'a [u8]), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        const TOO_SHORT: &str = "a parameter ends too early";
        let octets = std::mem::take(&mut self.0);
        if octets.is_empty() {
            return None;
        }
        let [key_high, key_low, len_high, len_low, rest @ ..] = octets else {
            return Some(Err(TOO_SHORT));
        };
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        let Some((value, rest)) = rest.split_at_checked(len) else {
            return Some(Err(TOO_SHORT));
        };
        self.0 = rest;
        Some(Ok((u16::from_be_bytes([*key_high, *key_low]), value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_and_mandatory_ones_are_there() {
        let (alpn, port) = (b"\x00\x01\x00\x03\x02h2", b"\x00\x03\x00\x02\x01\xbb");
        assert_eq!(check(b""), Ok(()));
        assert_eq!(check(&[&alpn[..], port].concat()), Ok(()));
        assert!(check(&[&port[..], alpn].concat()).is_err());
        assert!(check(&[alpn, &alpn[..]].concat()).is_err());
        let mandatory = |key| [0, 0, 0, 2, 0, key];
        assert_eq!(check(&[&mandatory(1)[..], alpn].concat()), Ok(()));
        assert!(check(&[&mandatory(3)[..], alpn].concat()).is_err());
        assert!(check(&[&mandatory(0)[..], alpn].concat()).is_err());
    }

    #[test]
    fn values_fit_their_keys() {
        for bad in [
            &b"\x00\x01\x00\x00"[..],
            b"\x00\x01\x00\x01\x00",
            b"\x00\x01\x00\x02\x02h",
            b"\x00\x02\x00\x00",
            b"\x00\x03\x00\x01\x01",
            b"\x00\x04\x00\x03\x01\x02\x03",
            b"\x00\x05\x00\x00",
            b"\x00\x06\x00\x00",
            b"\x00\x08\x00\x01\x00",
            b"\x00\x09\x00\x01\x00",
            b"\x00\x0f\x00\x02\x00",
            b"\x00\x0f\x00",
            b"\xff\xff\x00\x00",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            check(b"\x00\x0f\x00\x00"),
            Ok(()),
            "an unknown key may be empty"
        );
    }
}
