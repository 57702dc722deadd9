//! Whether a reply says what the zone does.

use crate::decoded::Decoded;
use crate::name::Name;
use crate::record::rtype;
use std::net::Ipv4Addr;

/// What must come back.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// One A record.
    Address(Ipv4Addr),
    /// NXDOMAIN with the zone's SOA record.
    NoName,
    /// The query itself.
    Echo,
}

/// Holds a reply against what the zone has.
pub fn judge(query: &[u8], reply: &[u8], name: &str, expected: &Expected) -> Result<(), String> {
    if let Expected::Echo = expected {
        let same = query == reply;
        return same
            .then_some(())
            .ok_or_else(|| "not the query itself".to_owned());
    }
    let decoded = Decoded::read(reply)?;
    let (rcode, count) = (decoded.rcode, decoded.answer().len());
    if !decoded.aa || decoded.questions.len() != 1 {
        return Err(format!("RCODE {rcode}, not authoritative"));
    }
    match (expected, decoded.answer()) {
        (Expected::NoName, []) if rcode == 3 => {
            let authority = decoded.authority();
            let has_soa = authority.iter().any(|record| record.rtype == rtype::SOA);
            has_soa
                .then_some(())
                .ok_or_else(|| "no SOA record".to_owned())
        }
        (Expected::Address(address), [record])
            if rcode == 0
                && record.owner.is(&Name::parse(name))
                && (record.rtype, record.ttl) == (rtype::A, 3600)
                && record.rdata == address.octets() =>
        {
            Ok(())
        }
        _ => Err(format!(
            "RCODE {rcode}, {count} answers: {:?}",
            decoded.answer()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::query;

    /// A reply to `query` with these flags' second byte and one A record, if any.
    fn reply(query: &[u8], rcode: u8, address: Option<[u8; 4]>) -> Vec<u8> {
        let mut reply = query.to_vec();
        reply[2] |= 0x84;
        reply[3] = rcode;
        if let Some(address) = address {
            reply[7] = 1;
            reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4]);
            reply.extend(address);
        }
        reply
    }

    #[test]
    fn only_the_zones_own_data_is_right() {
        let query = query("host.example", rtype::A);
        let expected = Expected::Address(Ipv4Addr::new(10, 0, 0, 1));
        let judge = |reply: &[u8], expected| judge(&query, reply, "host.example", expected);
        let right = reply(&query, 0, Some([10, 0, 0, 1]));
        assert_eq!(judge(&right, &expected), Ok(()));
        assert!(judge(&right, &Expected::NoName).is_err());
        assert!(judge(&right, &Expected::Echo).is_err());
        assert!(judge(&reply(&query, 0, Some([10, 0, 0, 2])), &expected).is_err());
        assert!(judge(&reply(&query, 0, None), &expected).is_err());
        assert!(
            judge(&reply(&query, 3, None), &Expected::NoName).is_err(),
            "no SOA"
        );
        assert_eq!(judge(&query, &Expected::Echo), Ok(()));
    }
}
