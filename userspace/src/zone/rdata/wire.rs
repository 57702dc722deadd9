//! Record data in wire form: is it well-formed, what names are in it, which sorts first.

use std::cmp::Ordering;
use std::ops::Range;

use arrayvec::ArrayVec;

use super::{Field, RDATA_LEN_MAX, apl, layout, svcb};
use crate::name;
use crate::zone::rtype;

/// Says what is wrong with record data in uncompressed wire form, if anything.
pub fn check(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    if rdata.len() > RDATA_LEN_MAX {
        return Err("the record data is longer than 65535 octets");
    }
    let mut cursor = Cursor { rdata, at: 0 };
    for field in layout(rtype) {
        cursor.pass(field)?;
    }
    if cursor.at < rdata.len() {
        return Err("the record data is too long for its type");
    }
    Ok(())
}

/// Compares well-formed record data of one type in canonical order (RFC 4034 §6.3).
pub fn canonical_cmp(rtype: u16, left: &[u8], right: &[u8]) -> Ordering {
    let plain = left.cmp(right);
    if plain.is_eq() || !layout(rtype).contains(&Field::Name) {
        return plain;
    }
    // As long as both agree, their names are at the same places; the first difference decides.
    let names = names_without_case(rtype, left);
    let fold = |at: usize, octet: u8| {
        let in_name = names.iter().any(|name| name.contains(&at));
        if in_name {
            octet.to_ascii_lowercase()
        } else {
            octet
        }
    };
    let differ = |at: usize| fold(at, left[at]).cmp(&fold(at, right[at]));
    (0..left.len().min(right.len()))
        .map(differ)
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// Finds the name of a host in well-formed record data for which a server adds addresses to its
/// answers (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1), and which therefore should have some.
pub fn target(rtype: u16, rdata: &[u8]) -> Option<&[u8]> {
    let start = match rtype {
        rtype::NS => 0,
        rtype::MX | rtype::SVCB | rtype::HTTPS => 2,
        rtype::SRV => 6,
        _ => return None,
    };
    let name = rdata.get(start..)?;
    name.get(..name::wire_len(name)?)
}

/// Finds the names whose letters are small in canonical form.
fn names_without_case(rtype: u16, rdata: &[u8]) -> ArrayVec<Range<usize>, 2> {
    let mut names = ArrayVec::new();
    let mut cursor = Cursor { rdata, at: 0 };
    for field in layout(rtype) {
        let start = cursor.at;
        if cursor.pass(field).is_err() {
            break;
        }
        if *field == Field::Name {
            names.push(start..cursor.at);
        }
    }
    names
}

/// A place in record data.
struct Cursor<'a> {
    rdata: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Steps over one field, or says what is wrong with it.
    fn pass(&mut self, field: &Field) -> Result<(), &'static str> {
        match field {
            Field::U8 | Field::Algorithm | Field::DsyncScheme => self.take(1).map(drop),
            Field::U16 | Field::RecordType | Field::CertificateType => self.take(2).map(drop),
            Field::U32 | Field::Ttl | Field::Time | Field::Ipv4 => self.take(4).map(drop),
            Field::Eui48 => self.take(6).map(drop),
            Field::U64 | Field::Locator64 | Field::Eui64 => self.take(8).map(drop),
            Field::Ipv6 => self.take(16).map(drop),
            Field::Name | Field::NameAsIs => self.name(),
            Field::NamesAsIs => self.until_end(Self::name),
            Field::Text => self.text().map(drop),
            Field::OptionalText if self.is_at_end() => Ok(()),
            Field::OptionalText => self.text().map(drop),
            Field::Texts => {
                self.text()?;
                self.until_end(|cursor| cursor.text().map(drop))
            }
            Field::CaaTag => self.caa_tag(),
            Field::Salt => self.text().map(drop),
            Field::HashedName => self.hashed_name(),
            Field::Hex | Field::Base64 | Field::Nsap => self.some_rest(),
            Field::Digest(lengths) => self.digest(lengths),
            Field::Types if self.is_at_end() => Err("the list of record types is empty"),
            Field::Types | Field::OptionalTypes => self.until_end(Self::type_window),
            Field::SvcParams => svcb::check(self.rest()),
            Field::Prefixes => apl::check(self.rest()),
            Field::Location => self.location(),
            Field::Ipseckey => self.ipseckey(),
            Field::AmtRelay => self.amt_relay(),
            Field::HostIdentity => self.host_identity(),
            Field::Services => self.services(),
            Field::LongText | Field::OptionalBase64 | Field::Base64OrDash | Field::Opaque => {
                self.rest();
                Ok(())
            }
        }
    }

    /// Takes the next octets.
    fn take(&mut self, len: usize) -> Result<&'a [u8], &'static str> {
        let end = self.at + len;
        let taken = self
            .rdata
            .get(self.at..end)
            .ok_or("the record data is too short")?;
        self.at = end;
        Ok(taken)
    }

    /// Takes one octet.
    fn octet(&mut self) -> Result<u8, &'static str> {
        Ok(self.take(1)?[0])
    }

    /// Takes what remains.
    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.rdata[self.at..];
        self.at = self.rdata.len();
        rest
    }

    fn is_at_end(&self) -> bool {
        self.at == self.rdata.len()
    }

    /// Repeats a step up to the end of the data.
    fn until_end(
        &mut self,
        step: impl Fn(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        while !self.is_at_end() {
            step(self)?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), &'static str> {
        let len = name::wire_len(&self.rdata[self.at..])
            .ok_or("the record data has no uncompressed domain name where its type has one")?;
        self.take(len).map(drop)
    }

    /// Takes a length octet and as many octets.
    fn text(&mut self) -> Result<&'a [u8], &'static str> {
        let len = self.octet()?;
        self.take(usize::from(len))
    }

    fn some_rest(&mut self) -> Result<(), &'static str> {
        let rest = self.rest();
        if rest.is_empty() {
            Err("the record data is too short")
        } else {
            Ok(())
        }
    }

    fn digest(&mut self, lengths: &[(u8, usize)]) -> Result<(), &'static str> {
        let digest_type = self
            .at
            .checked_sub(1)
            .and_then(|at| self.rdata.get(at))
            .copied();
        let digest = self.rest();
        let wanted = lengths
            .iter()
            .find(|(known, _)| Some(*known) == digest_type);
        match wanted {
            Some((_, len)) if digest.len() != *len => {
                Err("the digest's length does not fit its type")
            }
            None if digest.is_empty() => Err("the digest is empty"),
            _ => Ok(()),
        }
    }

    // RFC 8659 §4.1: at least one character, letters and digits only.
    fn caa_tag(&mut self) -> Result<(), &'static str> {
        let tag = self.text()?;
        if tag.is_empty() || !tag.iter().all(u8::is_ascii_alphanumeric) {
            return Err("a CAA tag consists of letters and digits");
        }
        Ok(())
    }

    fn hashed_name(&mut self) -> Result<(), &'static str> {
        if self.text()?.is_empty() {
            return Err("the hashed name is empty");
        }
        Ok(())
    }

    // RFC 4034 §4.1.2: windows ascend, have 1 to 32 octets, and no zero octet at their end.
    fn type_window(&mut self) -> Result<(), &'static str> {
        const BAD: &str = "the bitmap of record types is not in its shortest form";
        let window = self.octet()?;
        let bits = self.text()?;
        if bits.len() > 32 || bits.last().is_none_or(|last| *last == 0) {
            return Err(BAD);
        }
        // The next window, if there is one, must have a higher number.
        match self.rdata.get(self.at) {
            Some(next) if *next <= window => Err(BAD),
            _ => Ok(()),
        }
    }

    // RFC 1876 §2: version 0; sizes are digits 0 to 9 for base and exponent.
    fn location(&mut self) -> Result<(), &'static str> {
        if self.octet()? != 0 {
            return Err("only version 0 of LOC is known");
        }
        let is_digits = |octet: &u8| octet >> 4 <= 9 && octet & 15 <= 9;
        if !self.take(3)?.iter().all(is_digits) {
            return Err("a size or precision of LOC is not a digit and a power of ten");
        }
        self.take(12).map(drop)
    }

    // RFC 4025 §2: precedence, gateway type, algorithm, gateway, key.
    fn ipseckey(&mut self) -> Result<(), &'static str> {
        let head = self.take(3)?;
        self.gateway(head[1])?;
        self.rest();
        Ok(())
    }

    // RFC 8777 §4.2: precedence, a bit and 7 bits of relay type, relay.
    fn amt_relay(&mut self) -> Result<(), &'static str> {
        let head = self.take(2)?;
        self.gateway(head[1] & 0x7f)
    }

    fn gateway(&mut self, kind: u8) -> Result<(), &'static str> {
        match kind {
            0 => Ok(()),
            1 => self.take(4).map(drop),
            2 => self.take(16).map(drop),
            3 => self.name(),
            _ => Err("the gateway's type is none of 0 (none), 1 (IPv4), 2 (IPv6), 3 (name)"),
        }
    }

    // RFC 8005 §5: lengths of tag and key around the algorithm, then both.
    fn host_identity(&mut self) -> Result<(), &'static str> {
        let head = self.take(4)?;
        let (tag_len, key_len) = (usize::from(head[0]), u16::from_be_bytes([head[2], head[3]]));
        if tag_len == 0 || key_len == 0 {
            return Err("HIP wants a host identity tag and a key");
        }
        self.take(tag_len + usize::from(key_len)).map(drop)
    }

    // RFC 1035 §3.4.2: address, protocol, a bit per port.
    fn services(&mut self) -> Result<(), &'static str> {
        self.take(5)?;
        if self.rest().len() > 8192 {
            return Err("the bitmap of ports is too long");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_too_short_or_too_long_for_its_type_is_refused() {
        assert!(check(rtype::A, &[1, 2, 3, 4]).is_ok());
        assert!(check(rtype::A, &[1, 2, 3]).is_err());
        assert!(check(rtype::A, &[1, 2, 3, 4, 5]).is_err());
        assert!(check(rtype::MX, b"\x00\x0a\x01a\x00").is_ok());
        assert!(
            check(rtype::MX, b"\x00\x0a\x01a\xc0\x0c").is_err(),
            "a compressed name"
        );
        assert!(check(rtype::TXT, b"").is_err());
        assert!(check(4711, &[0; 65_535]).is_ok());
        assert!(check(4711, &[0; 65_536]).is_err());
    }

    #[test]
    fn digests_have_the_length_of_their_type() {
        let ds = |digest_type, len| [&[0, 1, 8, digest_type][..], &vec![7; len]].concat();
        assert!(check(rtype::DS, &ds(2, 32)).is_ok());
        assert!(check(rtype::DS, &ds(2, 31)).is_err());
        assert!(
            check(rtype::CDS, &ds(0, 1)).is_ok(),
            "RFC 8078: the delete form"
        );
        assert!(check(rtype::DS, &ds(99, 0)).is_err());
    }

    #[test]
    fn a_bitmap_of_types_is_in_its_shortest_form() {
        let nsec = |bitmap: &[u8]| check(rtype::NSEC, &[b"\x00", bitmap].concat());
        assert!(nsec(&[0, 1, 0x40]).is_ok());
        assert!(nsec(&[0, 1, 0x40, 1, 1, 1]).is_ok());
        for bad in [
            &[][..],
            &[0, 0],
            &[0, 2, 1, 0],
            &[1, 1, 1, 0, 1, 1],
            &[0, 1, 1, 0, 1, 1],
        ] {
            assert!(nsec(bad).is_err(), "{bad:?}");
        }
        assert!(nsec(&[&[0, 33][..], &[1; 33]].concat()).is_err());
    }

    #[test]
    fn canonical_order_ignores_case_in_the_names_of_old_types_only() {
        let (small, capital) = (b"\x00\x01\x01a\x00", b"\x00\x01\x01A\x00");
        assert_eq!(canonical_cmp(rtype::MX, small, capital), Ordering::Equal);
        assert_eq!(
            canonical_cmp(rtype::SVCB, small, capital),
            Ordering::Greater
        );
        // Not in the name: the preference 0x0041 is not folded to 0x0061.
        assert_eq!(
            canonical_cmp(rtype::MX, b"\x00\x41\x01a\x00", b"\x00\x61\x01A\x00"),
            Ordering::Less
        );
        assert_eq!(
            canonical_cmp(rtype::NS, b"\x01B\x00", b"\x01a\x00"),
            Ordering::Greater
        );
        assert_eq!(
            canonical_cmp(rtype::NS, b"\x01a\x00", b"\x01a\x01b\x00"),
            Ordering::Less
        );
    }

    #[test]
    fn the_host_that_a_record_points_to_is_found() {
        assert_eq!(
            target(rtype::MX, b"\x00\x0a\x01a\x00"),
            Some(&b"\x01a\x00"[..])
        );
        assert_eq!(
            target(rtype::HTTPS, b"\x00\x01\x00\x00\x03\x00\x02\x01\xbb"),
            Some(&b"\x00"[..])
        );
        assert_eq!(target(rtype::TXT, b"\x01a"), None);
    }
}
