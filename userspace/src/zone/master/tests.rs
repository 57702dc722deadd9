//! What master files mean, and what is complained about where.

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData as _;
use domain::rdata::ZoneRecordData;

use super::*;
use crate::name::ROOT;
use crate::zone::error::Severity;
use crate::zone::rtype;
use failure::Failure;
use lexer::Lexer;
use scanner::EntryScanner;

const HEAD: &str = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.\n";

/// The same zone as [`ALL_TYPES`] names it.
const ALL_TYPES: &str = include_str!("../../../../tests/fixtures/all-types.zone");

#[test]
fn owner_ttl_and_class_may_be_left_out_or_change_places() {
    let shown = records(
        "$TTL 1h\na A 192.0.2.1\n  A 192.0.2.2\n\t60 IN A 192.0.2.3\nb IN 60 A 192.0.2.4\n\
         c CLASS1 TYPE1 192.0.2.5\n@ in a 192.0.2.6\nd.example. 7 A 192.0.2.7",
    );
    let addresses: Vec<_> = shown.iter().filter(|line| line.contains(" A ")).collect();
    assert_eq!(
        addresses,
        [
            "example. 3600 A c0000206",
            "a.example. 60 A c0000201",
            "a.example. 60 A c0000202",
            "a.example. 60 A c0000203",
            "b.example. 60 A c0000204",
            "c.example. 3600 A c0000205",
            "d.example. 7 A c0000207",
        ]
    );
}

#[test]
fn without_ttl_directive_the_last_ttl_written_counts() {
    let shown = records("a 60 A 192.0.2.1\nb A 192.0.2.2\n");
    assert!(
        shown.contains(&"b.example. 60 A c0000202".into()),
        "{shown:?}"
    );
}

#[test]
fn without_any_ttl_the_soa_lends_its_last_number() {
    let (records, problems) = parse_whole("@ SOA a b 1 2 3 4 77\n@ NS a.b.\n").unwrap();
    assert!(records.owner(0).rrsets().all(|rrset| rrset.ttl() == 77));
    assert_eq!(
        problems,
        ["zone:1:1: warning: there is no TTL: the SOA's last number is used, 77"]
    );
    assert_eq!(
        parse_whole("a A 192.0.2.1\n").unwrap_err(),
        ["zone:1:5: there is no TTL: put a $TTL before this record"]
    );
}

#[test]
fn carriage_returns_comments_and_empty_lines_say_nothing() {
    let shown = records("; comment\r\n\r\n   \n \t ; comment\na 1 A 192.0.2.1 ; comment\r\n\r\n");
    assert!(
        shown.contains(&"a.example. 1 A c0000201".into()),
        "{shown:?}"
    );
}

#[test]
fn parentheses_join_lines_anywhere() {
    let shown =
        records("a ( 1\n ; comment )\nA\n) 192.0.2.1 ()\n( b 2 A 192.0.2.2 )\nc 3 ((A)192.0.2.3)");
    for line in [
        "a.example. 1 A c0000201",
        "b.example. 2 A c0000202",
        "c.example. 3 A c0000203",
    ] {
        assert!(shown.contains(&line.into()), "{line} in {shown:?}");
    }
}

#[test]
fn origins_may_leave_the_zone_and_come_back() {
    let shown = records(
        "$ORIGIN Sub\n$TTL 9\na CNAME b\n$ORIGIN other.\nc.sub.example. CNAME b\n\
         $ORIGIN example.\nd CNAME @\n",
    );
    assert!(shown.contains(&"a.sub.example. 9 CNAME 016203537562076578616d706c6500".into()));
    assert!(shown.contains(&"c.sub.example. 9 CNAME 0162056f7468657200".into()));
    assert!(
        shown.contains(&"d.example. 9 CNAME 076578616d706c6500".into()),
        "{shown:?}"
    );
}

#[test]
fn records_outside_of_the_zone_are_ignored_with_a_warning() {
    let (records, problems) = parse(
        "a.other. 1 A 192.0.2.1\n  A 192.0.2.2\n$ORIGIN other.\nb 1 A 192.0.2.3\nxexample. 1 A 192.0.2.4\n",
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
fn names_keep_their_case_in_data_only() {
    let shown = records("A.B 1 CNAME C.D\n");
    assert!(
        shown.contains(&"a.b.example. 1 CNAME 01430144076578616d706c6500".into()),
        "{shown:?}"
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
        "zone:14:1: `$FOO` is none of $ORIGIN, $TTL, $INCLUDE, $GENERATE; \
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
fn what_generate_counts_to_becomes_records() {
    let shown = records(
        "$TTL 5\n$GENERATE 8-12/2 h$ A 192.0.2.$\n$GENERATE 1-1 m IN MX \"$ h${7}\"\n$GENERATE 0-0 t 1 TXT a \"b c\"",
    );
    for line in [
        "h8.example. 5 A c0000208",
        "h10.example. 5 A c000020a",
        "h12.example. 5 A c000020c",
        "m.example. 5 MX 0001026838076578616d706c6500",
        "t.example. 1 TXT 016103622063",
    ] {
        assert!(shown.contains(&line.into()), "{line} in {shown:?}");
    }
    let problems =
        parse("$TTL 5\n$GENERATE 250-260 h A 192.0.2.$\n$GENERATE 1-3 h A x\n").unwrap_err();
    assert_eq!(
        problems,
        [
            "zone:4:1: for the number 256: `192.0.2.256` is not an IPv4 address",
            "zone:5:19: `x` is not an IPv4 address",
        ]
    );
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

#[test]
fn bad_data_is_complained_about() {
    for (bad, complaint) in [
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
    ] {
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
fn types_that_bind_does_not_read_are_read_by_their_rfcs() {
    let shown = records(
        "$TTL 1\na DSYNC CDS NOTIFY 5359 rr.x.\nb DSYNC TYPE65280 2 1 .\nc HHIT gwppM2ZmOCAwMDAw\n\
         d BRID gwppM2ZmOCAwMDAw\ne RESINFO qnamemin exterr=15-17\nf WALLET ETH \"0x1\"\n\
         g IPN 18446744073709551615\nh CLA TCP-v4\ni RRSIG A ED25519 1 1h 0 0 1 . AAAA\n\
         j HTTPS 1 . ohttp tls-supported-groups=29,23 key1=\\002h2\n",
    );
    for line in [
        "a.example. 1 DSYNC 003b0114ef0272720178 00",
        "b.example. 1 DSYNC ff00020001 00",
        "c.example. 1 HHIT 830a693366663820 30303030",
        "d.example. 1 BRID 830a693366663820 30303030",
        "e.example. 1 RESINFO 08716e616d656d696e 0c6578746572723d31352d3137",
        "f.example. 1 WALLET 03455448 03307831",
        "g.example. 1 IPN ffffffffffffffff",
        "h.example. 1 CLA 065443502d7634",
        "i.example. 1 RRSIG 0001 0f 01 00000e10 00000000 00000000 0001 00 000000",
        "j.example. 1 HTTPS 0001 00 00010003026832 00080000 00090004001d0017",
    ] {
        let (head, data) = line.split_at(line.find(char::is_uppercase).unwrap());
        let (rtype, data) = data.split_once(' ').unwrap();
        let line = format!("{head}{rtype} {}", data.replace(' ', ""));
        assert!(shown.contains(&line), "{line} in {shown:?}");
    }
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
    // 12 octets of header, 13 + 4 of question, 12 + 11 of each record.
    let text = |count: usize| {
        (0..count)
            .map(|i| format!("big 1 TXT {i:010}\n"))
            .collect::<String>()
    };
    assert!(parse(&text(2848)).is_ok());
    assert_eq!(
        parse(&text(2849)).unwrap_err(),
        [
            "zone:3:1: the 2849 records of big.example. TXT make an answer of 65556 octets; 65535 are possible"
        ]
    );
}

#[test]
fn the_order_of_the_text_does_not_matter() {
    let lines: Vec<&str> = "a.b 1 A 192.0.2.1\nb 1 A 192.0.2.1\nZ.a.b 1 A 192.0.2.1\n\\000.b 1 A 192.0.2.1\n\
         \\001.b 1 A 192.0.2.1\n*.b 1 A 192.0.2.1\nb 1 TXT x\nb 1 TXT a\na-b 1 A 192.0.2.2\na-b 1 A 192.0.2.1\n\
         aaaaaaaaaaaaaaaaaaaaaa.b 1 A 192.0.2.1\naaaaaaaaaaaaaaaaaaaaaa.a.b 1 A 192.0.2.1\n\
         aaaaaaaaaaaaaaaaaaaaab.b 1 A 192.0.2.1"
        .lines()
        .collect();
    let expected = records(&lines.join("\n"));
    let mut owners: Vec<_> = expected
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    owners.dedup();
    let unique: BTreeSet<_> = owners.iter().collect();
    assert_eq!(owners.len(), unique.len(), "each owner once: {owners:?}");
    for turn in 0..lines.len() {
        let mut turned = lines.clone();
        turned.rotate_left(turn);
        assert_eq!(records(&turned.join("\n")), expected);
        turned.reverse();
        assert_eq!(records(&turned.join("\n")), expected);
    }
}

#[test]
fn owners_are_found_by_name() {
    let (records, _) = parse("a.b 1 A 192.0.2.1\nb.c 1 A 192.0.2.2\n").unwrap();
    let find = |text: &str| records.find(&NameBuf::from_text(text.as_bytes(), ROOT).unwrap());
    assert!(find("example.").unwrap().is_apex());
    let owner = find("a.b.example.").unwrap();
    assert_eq!(
        owner.rrset(rtype::A).unwrap().records().next().unwrap(),
        [192, 0, 2, 1]
    );
    assert!(owner.rrset(rtype::AAAA).is_none());
    for missing in ["b.example.", "c.b.example.", "a.b.", "."] {
        assert!(find(missing).is_none(), "{missing}");
    }
}

#[test]
fn every_window_shows_the_same_zone() {
    let origin = NameBuf::from_text(b"types.test.", ROOT).unwrap();
    let read = |window_len| {
        let input = ALL_TYPES.as_bytes();
        shown(super::read(input, input.len(), window_len, "zone", &origin)).unwrap()
    };
    let expected = read(source::WINDOW_LEN);
    assert!(expected.0.record_count() > 100);
    for window_len in (1..64).chain([100, 1000]) {
        let got = read(window_len);
        assert_eq!(
            lines_of(&got.0),
            lines_of(&expected.0),
            "a window of {window_len}"
        );
        assert_eq!(got.1, expected.1, "a window of {window_len}");
    }
}

#[test]
fn every_window_shows_the_same_errors() {
    let text = format!(
        "{HEAD}a 1 A ( 1\nb 1 A x\n c 1\n\"d\n( e\n f\n )\n\\\n$TTL\n;\n\"x\\\"y\" 1 A 192.0.2.1\n)\n("
    );
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    let read = |window_len| {
        let read = super::read(text.as_bytes(), text.len(), window_len, "zone", &origin);
        shown(read)
            .map(|(records, _)| records.record_count())
            .unwrap_err()
    };
    let expected = read(source::WINDOW_LEN);
    assert!(expected.len() > 5, "{expected:?}");
    for window_len in 1..64 {
        assert_eq!(read(window_len), expected, "a window of {window_len}");
    }
}

/// `domain`'s own types, read through our scanner, are an independent opinion on the fields that we read.
#[test]
fn domain_reads_the_same_data_through_our_scanner() {
    // Not in domain 0.12: mnemonics of algorithms, units in SOA, RFC 3597 within the type, escapes in lists.
    let unknown = [
        "RSASHA256",
        "ECDSAP256SHA256",
        "host\\.master",
        "\\#",
        "key9999",
        "oo\\\\,bar",
    ];
    let mut compared = BTreeSet::new();
    let origin = NameBuf::from_text(b"types.test.", ROOT).unwrap();
    let single_lines = ALL_TYPES
        .lines()
        .filter(|line| !line.contains(['(', ')', '$']));
    for line in single_lines.filter(|line| !unknown.iter().any(|text| line.contains(text))) {
        let mut lexer = Lexer::new(line.as_bytes(), true);
        let Ok(Some(begins_blank)) = lexer.begin_entry() else {
            continue;
        };
        if !lexer.has_token().unwrap() {
            continue;
        }
        if !begins_blank {
            lexer.token().unwrap();
        }
        // Lines that go on with an entry begin with something else.
        let Ok((_, rtype)) = entry::head(&mut lexer) else {
            continue;
        };
        let mut ours = Vec::new();
        let rest = &line.as_bytes()[lexer.at()..];
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: &origin,
        };
        entry::read_rdata(rtype, &mut scanner, &mut ours).unwrap();
        let mut lexer = Lexer::new(rest, true);
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: &origin,
        };
        let theirs: Result<ZoneRecordData<Vec<u8>, _>, Failure> =
            ZoneRecordData::scan(Rtype::from_int(rtype), &mut scanner);
        match theirs {
            Ok(data) => {
                let mut wire = Vec::new();
                data.compose_rdata(&mut wire).unwrap();
                assert_eq!(wire, ours, "{line}");
                compared.insert(rtype);
            }
            // Types that domain knows only in the form of RFC 3597.
            Err(failure) => assert!(failure.to_string().contains("unknown"), "{line}: {failure}"),
        }
    }
    assert!(compared.len() >= 29, "{compared:?}");
}

/// Reads lines behind a SOA and an NS record.
fn parse(text: &str) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    parse_whole(&format!("{HEAD}{text}"))
}

fn parse_whole(text: &str) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    shown(read_text(text.as_bytes(), "zone", &origin))
}

/// Turns problems into text, and makes sure that only errors refuse a zone.
fn shown(outcome: Outcome) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    let text = |problems: &[ZoneProblem]| problems.iter().map(ToString::to_string).collect();
    match outcome {
        Ok((records, problems)) => {
            assert!(
                problems
                    .iter()
                    .all(|problem| problem.severity == Severity::Warning)
            );
            Ok((records, text(&problems)))
        }
        Err(problems) => {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.severity == Severity::Error)
            );
            Err(text(&problems))
        }
    }
}

/// Shows the records of a zone that has no problems but warnings.
fn records(text: &str) -> Vec<String> {
    match parse(text) {
        Ok((records, _)) => lines_of(&records),
        Err(problems) => panic!("{problems:?}"),
    }
}

/// Shows each record as `owner ttl type hexadecimal`.
fn lines_of(records: &ZoneRecords) -> Vec<String> {
    let mut lines = Vec::new();
    for owner in records.owners() {
        for rrset in owner.rrsets() {
            for data in rrset.records() {
                let (owner, rtype) = (owner.name(), rtype::display(rrset.rtype()));
                let data: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
                lines.push(format!(
                    "{} {} {rtype} {data}",
                    name::display(&owner),
                    rrset.ttl()
                ));
            }
        }
    }
    lines
}
