//! Record data for people, in presentation form.

use domain::base::ParsedName;
use domain::base::iana::Rtype;
use domain::base::rdata::{ParseRecordData as _, UnknownRecordData};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt as _};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;

/// Uncompressed data as a master file has it.
pub fn shown(rtype: u16, data: &[u8]) -> String {
    known(rtype, data).unwrap_or_else(|| unknown(rtype, data))
}

/// As the type has it.
fn known(rtype: u16, data: &[u8]) -> Option<String> {
    let mut parser = Parser::from_ref(data);
    let rtype = Rtype::from_int(rtype);
    let parsed = ZoneRecordData::<&[u8], ParsedName<&[u8]>>::parse_rdata(rtype, &mut parser);
    let parsed = parsed.ok()?.filter(|_| parser.remaining() == 0)?;
    Some(parsed.display_zonefile(DisplayKind::Simple).to_string())
}

/// As any type may be written (RFC 3597 §5).
fn unknown(rtype: u16, data: &[u8]) -> String {
    let unknown = UnknownRecordData::from_octets(Rtype::from_int(rtype), data);
    let shown = unknown.map(|data| data.display_zonefile(DisplayKind::Simple).to_string());
    // Only data that no message holds is too long.
    shown.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::rtype;

    #[test]
    fn data_is_shown_as_its_type_has_it_and_what_is_not_known_in_numbers() {
        assert_eq!(shown(rtype::A, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(shown(rtype::CNAME, b"\x03www\x07example\0"), "www.example.");
        assert_eq!(shown(rtype::TXT, b"\x05a \"b\"\x00"), r#""a \"b\"" """#);
        assert_eq!(shown(rtype::MX, b"\0\x0a\x01a\0"), "10 a.");
        assert_eq!(shown(rtype::A, &[192, 0, 2]), r"\# 3 c0 00 02");
        assert_eq!(shown(65_400, &[1, 255]), r"\# 2 01 ff");
        assert_eq!(shown(65_400, &[]), r"\# 0");
    }
}
