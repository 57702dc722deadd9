//! What is complained about, and where.

use super::*;
use crate::zone::compile::compile;

#[test]
fn records_outside_of_the_zone_are_ignored_with_a_warning() {
    let (records, problems) = parse(
        "a.other. 1 A 192.0.2.1\n  A 192.0.2.2\n$ORIGIN other.\nb 1 A 192.0.2.3\n\
         xexample. 1 A 192.0.2.4\n",
    )
    .unwrap();
    assert_eq!(records.record_count(), 2);
    assert_eq!(
        problems,
        [
            "zone:3:1: warning: a.other. is outside of the zone example.: ignored",
            "zone:4:1: warning: a.other. is outside of the zone example.: ignored",
            "zone:6:1: warning: b.other. is outside of the zone example.: ignored",
            "zone:7:1: warning: xexample. is outside of the zone example.: ignored",
        ]
    );
}

#[test]
fn all_errors_are_reported_with_line_and_column() {
    let text = "a 1 A 192.0.2.256\n\
                ok 1 A 192.0.2.1\n\
                b 1 FOO x\n\
                c 1 MX 10\n\
                d 1 CH A 192.0.2.1\n\
                e 1 A 192.0.2.1 more\n\
                f 1 TXT \"open\n\
                g 1 SOA a b ( 1\n\
                \t2 x ; comment\n\
                \t4 5 )\n\
                h 1 A 192.0.2.1 )\n\
                $FOO\n\
                i 1 TXT \"ä\" \\300\n\
                a..b 1 A 192.0.2.1\n\
                j 1 ANY x\n\
                k 1 2 A 192.0.2.1\n\
                l 4294967295 A 192.0.2.1\n\
                m 1 A \\# 3 c00002\n\
                n 1 A \\# 4 c00002\n\
                o 1 TXT a\0b\n\
                p 1 A 192.0.2.1 ( 192.0.2.2\n\
                q 1 A 192.0.2.3 )\n\
                r 1 A 192.0.2.1 (\n";
    let expected = [
        "zone:3:7: `192.0.2.256` is not an IPv4 address",
        "zone:5:5: `FOO` is neither TTL nor class nor record type",
        "zone:6:10: the entry ends too early: something is missing here",
        "zone:7:5: the class is CH: only IN is served",
        "zone:8:17: `more` is one too many here",
        "zone:9:9: this quoted string is not closed on its line",
        "zone:11:4: `x` is no time: write seconds, or units as in 1h30m",
        "zone:13:17: there is no open parenthesis to close here",
        "zone:14:1: `$FOO` is none of $ORIGIN, $TTL, $INCLUDE, $GENERATE, $VARIANT; \
         a name that begins with a dollar sign is written \\$",
        "zone:15:13: a backslash wants three digits up to 255 or one printable character behind it",
        "zone:16:1: a label of the domain name is empty",
        "zone:17:5: ANY records do not exist in zones",
        "zone:18:5: there are two TTLs",
        "zone:19:3: a TTL is at most 2147483647 seconds (RFC 2181)",
        "zone:20:12: the record data is too short",
        "zone:21:12: there are 3 octets of data, not 4",
        "zone:22:10: the octet 0x00 is no text: is this a master file?",
        "zone:23:19: `192.0.2.2` is one too many here (a parenthesis is still open)",
        "zone:24:17: there is no open parenthesis to close here",
        "zone:25:17: this parenthesis is never closed",
        "zone: stopped after 20 errors",
    ];
    assert_eq!(parse(text).unwrap_err(), expected);
}

#[test]
fn reading_stops_after_twenty_errors() {
    let problems = parse(&"x 1 A x\n".repeat(100)).unwrap_err();
    assert_eq!(problems.len(), 21);
    assert_eq!(problems[19], "zone:22:7: `x` is not an IPv4 address");
    assert_eq!(problems[20], "zone: stopped after 20 errors");
}

#[test]
fn after_an_open_parenthesis_the_next_line_is_read_again() {
    let problems = parse("a 1 A ( 192.0.2.1\nb 1 A x\nc 1 A y\n").unwrap_err();
    assert_eq!(
        problems,
        [
            "zone:4:1: `b` is one too many here (a parenthesis is still open)",
            "zone:4:7: `x` is not an IPv4 address",
            "zone:5:7: `y` is not an IPv4 address",
        ]
    );
}

#[test]
fn an_entry_without_owner_needs_one_before_it() {
    let problems = parse_whole("  1 A 192.0.2.1\n").unwrap_err();
    assert_eq!(problems, ["zone:1:3: there is no owner, here or before"]);
}

#[test]
fn data_of_known_types_in_unknown_form_is_checked() {
    let problems = parse(
        "a 1 MX \\# 5 000a 01 61 c0\nb 1 NS \\# 3 016100 00\nc 1 TYPE10 \\# 0\nd 1 TYPE65280 x\n",
    )
    .unwrap_err();
    assert_eq!(
        problems,
        [
            "zone:3:24: the record data has no uncompressed domain name where its type has one",
            "zone:4:20: there are 4 octets of data, not 3",
            "zone:6:15: data of this type is written as `\\# length hexadecimal`",
        ]
    );
}

/// Type and data, and what is said of it.
const BAD_DATA: &[(&str, &str)] = &[
    ("LOC 91 N 0 E 0m", "an angle here is at most 90 degrees"),
    (
        "LOC 90 0 0.001 N 0 E 0m",
        "an angle here is at most 90 degrees",
    ),
    ("LOC 1 60 N 0 E 0m", "`60` is not a number below 60"),
    (
        "LOC 1 N 0 E 42849672.96m",
        "`42849672.96m` is not an altitude from",
    ),
    (
        "LOC 1 N 0 E 0m 90000000.01m",
        "`90000000.01m` is not a size",
    ),
    ("LOC 1 2 3 4 N 0 E 0m", "`4` is not N or S"),
    ("APL 3:1.2.3.4/5", "is not an address prefix"),
    ("APL 1:1.2.3.4/33", "longer than its address family allows"),
    (
        "EUI48 00-00-5e-00-53",
        "is not 6 pairs of hexadecimal digits",
    ),
    ("L64 1 2001:db8::1", "is not a locator"),
    ("CERT FOO 1 1 AAAA", "`FOO` is not a number from 0 to 65535"),
    (
        "RRSIG A 8 2 60 20240101000000 20240101 1 . AAAA extra*",
        "this is not Base64",
    ),
    (
        "RRSIG A 8 2 60 20240101000000 2024010100 1 . ",
        "something is missing",
    ),
    ("DS 1 8 2 abcd", "the digest's length does not fit its type"),
    ("CAA 0 a-b x", "a CAA tag consists of letters and digits"),
    ("IPSECKEY 1 4 1 . AAAA", "nknown IPSECKEY gateway type"),
    ("AMTRELAY 1 2 1 192.0.2.1", "`2` is not 0 or 1"),
    ("AMTRELAY 1 0 4 192.0.2.1", "`4` is not a relay type"),
    (
        "HIP 2 2001 AAAA a..b",
        "a label of the domain name is empty",
    ),
    ("NSAP 47", "is not an NSAP address"),
    ("NULL x", "written as `\\# length hexadecimal`"),
    (
        "HTTPS 1 . alpn=h2 alpn=h3",
        "the parameter `alpn` is there twice",
    ),
    (
        "HTTPS 1 . no-default-alpn",
        "no-default-alpn wants alpn beside it",
    ),
    (
        "HTTPS 1 . mandatory=port",
        "a key that is mandatory has no parameter",
    ),
    (
        "HTTPS 1 . mandatory=mandatory",
        "mandatory wants every key once, and not itself",
    ),
    (
        "HTTPS 1 . mandatory=port,port port=1",
        "mandatory wants every key once, and not itself",
    ),
    ("HTTPS 1 . alpn", "alpn wants a list of protocols"),
    ("HTTPS 1 . alpn=h2,,h3", "alpn wants a list of protocols"),
    (
        "HTTPS 1 . alpn=a\\\\b",
        "in this list a backslash stands before",
    ),
    ("HTTPS 1 . port", "is not a number from 0 to 65535"),
    (
        "HTTPS 1 . ipv4hint=192.0.2.1,x",
        "`x` is not an IPv4 address",
    ),
    ("HTTPS 1 . key01=x", "`key01` is not a parameter's key"),
    (
        "HTTPS 1 . key65536=x",
        "`key65536` is not a parameter's key",
    ),
    (
        "HTTPS 1 . ohttp=x",
        "no-default-alpn and ohttp have no value",
    ),
    ("HTTPS 1 . ech=*", "`*` is not Base64"),
    ("TXT", "something is missing here"),
    ("NSEC a", "the list of record types is empty"),
    (
        "WKS 192.0.2.1 tcp 65536",
        "`65536` is not a number from 0 to 65535",
    ),
    ("TLSA 3 1 1", "something is missing here"),
];

#[test]
fn bad_data_is_complained_about() {
    for (bad, complaint) in BAD_DATA {
        let problems = parse(&format!("x 1 {bad}\n")).unwrap_err();
        assert!(problems[0].contains(complaint), "{bad}: {problems:?}");
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
    }
    let long = format!("x 1 TXT {}\n", "a".repeat(256));
    assert!(parse(&long).unwrap_err()[0].contains("longer than 255 octets"));
    let long = format!("x 1 TXT {}\n", "\"\" ".repeat(65_536));
    assert!(parse(&long).unwrap_err()[0].contains("longer than 65535 octets"));
}

#[test]
fn differing_ttls_and_duplicates_are_warned_of() {
    let (records, problems) = parse(
        "a 60 A 192.0.2.1\na 30 A 192.0.2.2\nb 1 NS x.y.\nb 1 NS X.Y.\na 90 A 192.0.2.1\n\
         c 1 TXT x\nc 1 TXT X\nd 1 RRSIG A 8 1 1 0 0 1 . AAAA\nd 2 RRSIG MX 8 1 1 0 0 1 . AAAA\n",
    )
    .unwrap();
    assert_eq!(records.record_count(), 9);
    assert_eq!(
        problems,
        [
            "zone:3:1: warning: this record's TTL is 60, others of its RRset have 30: 30 is used",
            "zone:6:1: warning: b.example. NS is already there, at line 5: ignored",
            "zone:7:1: warning: a.example. A is already there, at line 3: ignored",
        ]
    );
}

#[test]
fn an_rrset_that_fits_no_message_is_an_error() {
    // 12 octets and 11 of data for each record, and what is possible still makes an image.
    let text = |count: usize| {
        (0..count)
            .map(|i| format!("big 1 TXT {i:010}\n"))
            .collect::<String>()
    };
    let (records, _) = parse(&text(2815)).unwrap();
    assert!(compile(&records).is_ok());
    assert_eq!(
        parse(&text(2816)).unwrap_err(),
        ["zone:3:1: the 2816 records of big.example. TXT make \
             an answer of 64768 octets; 64752 are possible"]
    );
}

/// Signatures are asked for together, whatever they cover.
#[test]
fn signatures_that_fit_no_message_together_are_an_error() {
    let signature = "A".repeat(4 * 250);
    let text = |count: usize| {
        let line = |i| format!("big 1 RRSIG TYPE{i} 8 1 1 0 0 1 . {signature}\n");
        (1..=count).map(|i| line(1000 + i)).collect::<String>()
    };
    // 12 octets, 19 and 750 of data.
    let (records, _) = parse(&text(82)).unwrap();
    assert!(compile(&records).is_ok());
    assert_eq!(
        parse(&text(83)).unwrap_err(),
        ["zone:3:1: the 83 records of big.example. RRSIG make \
             an answer of 64823 octets; 64752 are possible"]
    );
}
