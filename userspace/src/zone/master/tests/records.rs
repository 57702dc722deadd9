//! What records a text stands for.

use super::*;

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
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    let (records, problems) = parse_whole(&format!("\u{feff}{HEAD}")).unwrap();
    assert!(records.owner(0).is_apex() && records.owner_count() == 1);
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        parse_whole("\u{feff}x 1 A y\n").unwrap_err(),
        ["zone:1:7: `y` is not an IPv4 address"]
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
fn names_keep_their_case_in_data_only() {
    let shown = records("A.B 1 CNAME C.D\n");
    assert!(
        shown.contains(&"a.b.example. 1 CNAME 01430144076578616d706c6500".into()),
        "{shown:?}"
    );
}

#[test]
fn what_generate_counts_to_becomes_records() {
    let shown = records(
        "$TTL 5\n$GENERATE 8-12/2 h$ A 192.0.2.$\n$GENERATE 1-1 m IN MX \"$ h${7}\"\n\
         $GENERATE 0-0 t 1 TXT a \"b c\"",
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
