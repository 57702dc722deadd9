//! What makes a zone bad or doubtful.

use super::*;
use crate::name::ROOT;

const HEAD: &str = "$TTL 300\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";

#[test]
fn a_good_zone_has_no_problems() {
    let good = "www CNAME ns\nwww RRSIG CNAME 8 2 300 0 0 1 . AAAA\nwww NSEC ns CNAME\n\
                mx MX 10 ns\nmx MX 20 elsewhere.\nnull MX 0 .\n_s._tcp SRV 0 0 0 .\n\
                _t._tcp SRV 1 2 3 ns\n\
                child NS ns.child\nchild NS ns\n\
                child DS 1 8 1 7aa4a3f416c2f2391fb7ab0d434f762cd62d1390\n\
                ns.child AAAA 2001:db8::1\nchild A 192.0.2.1\ndname DNAME x.\n*.w A 192.0.2.1\n\
                m2 MX 10 anything.w\nHTTPS HTTPS 1 .\n@ DNSKEY 256 3 8 AAAA\n";
    assert_eq!(problems(good), [""; 0]);
}

#[test]
fn the_apex_has_a_soa_and_a_server() {
    assert_eq!(
        problems_of("a 1 A 192.0.2.1\n"),
        [
            "zone: the zone has no SOA record at its own name example.",
            "zone: the zone has no NS record at its own name example.",
        ]
    );
    assert_eq!(
        problems_of("@ 1 A 192.0.2.1\n"),
        [
            "zone: the zone has no SOA record at its own name example.",
            "zone: the zone has no NS record at its own name example.",
        ]
    );
    assert_eq!(
        problems_of("@ 1 SOA a. b. 1 2 3 4 5\n"),
        ["zone: the zone has no NS record at its own name example."]
    );
    assert_eq!(
        problems("@ SOA ns host 2 2 3 4 5\na SOA ns host 2 2 3 4 5\n"),
        [
            "zone:5:1: the zone has 2 different SOA records",
            "zone:6:1: a.example. has a SOA record, but the zone's name has to",
        ]
    );
}

#[test]
fn a_cname_is_alone() {
    assert_eq!(
        problems("a CNAME b\na A 192.0.2.1\na TXT x\nc CNAME d\nc CNAME e\n"),
        [
            "zone:5:1: a.example. has CNAME and other data: A, TXT",
            "zone:9:1: c.example. has 2 CNAME records",
        ]
    );
    assert_eq!(
        problems("@ CNAME b\n"),
        ["zone:5:1: example. has CNAME and other data: NS, SOA"]
    );
}

#[test]
fn a_dname_is_one_and_nothing_is_below_it() {
    assert_eq!(
        problems(
            "a DNAME b.\na DNAME c.\nd DNAME e.\nx.d A 192.0.2.1\ny.d.d A 192.0.2.1\n\
             d-d A 192.0.2.1\n\
             f NS ns\nf DNAME g.\n"
        ),
        [
            "zone:6:1: a.example. has 2 DNAME records",
            "zone:8:1: x.d.example. is below a DNAME record",
            "zone:9:1: y.d.d.example. is below a DNAME record",
            "zone:12:1: f.example. is delegated and has a DNAME record too",
        ]
    );
}

#[test]
fn below_a_dname_at_the_apex_only_hashed_names_stand() {
    let zone = "$TTL 1\n@ SOA ns.x. host.x. 1 2 3 4 5\n@ NS ns.x.\n@ DNAME x.\n";
    let hashed =
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr\n";
    assert_eq!(problems_of(&[zone, hashed].concat()), [""; 0]);
    assert_eq!(
        problems_of(&[zone, "a A 192.0.2.1\n"].concat()),
        ["zone:5:1: a.example. is below a DNAME record"]
    );
}

#[test]
fn what_a_delegation_hides_is_warned_of() {
    assert_eq!(
        problems(
            "c NS x.\nc TXT hidden\nc DS 1 8 99 aa\na.c TXT hidden\na.c A 192.0.2.1\n\
             b.a.c MX 1 x.\n\
             c-c TXT seen\nd DS 1 8 99 aa\nd TXT seen\n@ DS 1 8 99 aa\n"
        ),
        [
            "zone:6:1: warning: c.example. is delegated, so its TXT is never answered",
            "zone:8:1: warning: a.c.example. is below a delegation, its TXT is never answered",
            "zone:10:1: warning: b.a.c.example. is below a delegation, its MX is never answered",
            "zone:12:1: warning: d.example. has a DS record but is not delegated: NS is missing",
            "zone:14:1: warning: a DS record at the zone's own name belongs to the parent zone",
        ]
    );
}

#[test]
fn servers_of_the_zone_that_are_in_it_have_addresses() {
    assert_eq!(
        problems(
            "@ NS none\n@ NS alias\nalias CNAME ns\n@ NS x.dname\ndname DNAME x.\n@ NS 192.0.2.1\n"
        ),
        [
            "zone:5:1: NS points to none.example., which has no address",
            "zone:6:1: NS points to alias.example., which is an alias (RFC 2181 §10.3)",
            "zone:8:1: NS points to x.dname.example., which is an alias (RFC 2181 §10.3)",
            "zone:10:1: NS points to 192.0.2.1.example.: a name is wanted, not an address",
        ]
    );
}

#[test]
fn targets_without_address_are_warned_of() {
    assert_eq!(
        problems(
            "a MX 1 none\nb MX 1 alias\nalias CNAME ns\nc SRV 0 0 1 txt\ntxt TXT x\nd NS none.d\n\
             e NS none.d\n\
             f NS none\ng MX 1 x.d\nh MX 1 ent\ny.ent TXT x\n*.w TXT x\ni MX 1 x.w\n*.v CNAME x.\n\
             j MX 1 x.v\n"
        ),
        [
            "zone:5:1: warning: MX points to none.example., which has no address",
            "zone:6:1: warning: MX points to alias.example., which is an alias (RFC 2181 §10.3)",
            "zone:8:1: warning: SRV points to txt.example., which has no address",
            "zone:10:1: warning: NS points to none.d.example., which has no glue address here",
            "zone:11:1: warning: NS points to none.d.example., which has no glue address here",
            "zone:12:1: warning: NS points to none.example., which has no address",
            "zone:14:1: warning: MX points to ent.example., which has no address",
            "zone:17:1: warning: MX points to x.w.example., which has no address",
            "zone:19:1: warning: MX points to x.v.example., which is an alias (RFC 2181 §10.3)",
        ]
    );
}

#[test]
fn types_of_the_apex_mean_nothing_below_it() {
    assert_eq!(
        problems("a DNSKEY 256 3 8 AAAA\nb CDS 0 0 0 00\n"),
        [
            "zone:5:1: warning: DNSKEY means nothing below the zone's own name",
            "zone:6:1: warning: CDS means nothing below the zone's own name",
        ]
    );
}

#[test]
fn odd_wildcards_are_warned_of() {
    assert_eq!(
        problems("*.a NS x.\n*.b DNAME x.\nc.*.d TXT x\n*.*.e TXT x\n"),
        [
            "zone:5:1: warning: what NS means at a wildcard is undefined",
            "zone:6:1: warning: what DNAME means at a wildcard is undefined",
            "zone:7:1: warning: c.*.d.example. has a `*` inside, which is no wildcard",
            "zone:8:1: warning: *.*.e.example. has a `*` inside, which is no wildcard",
        ]
    );
}

#[test]
fn a_server_of_many_delegations_is_looked_up_right_each_time() {
    let mut text = String::new();
    for index in 0..REPEATED {
        text += &format!(
            "d{index:05} NS {}\n",
            if index % 2 == 0 { "ns" } else { "none" }
        );
    }
    let shown = problems(&text);
    assert_eq!(shown.len(), 101);
    assert_eq!(
        shown[100],
        format!(
            "zone: warning: {} more warnings are not shown",
            REPEATED / 2 - 100
        )
    );
}

#[test]
fn a_host_is_not_taken_for_another_one_that_has_addresses() {
    let mut text = String::new();
    for index in 0..20_000 {
        text += &format!("a{index:05} NS h{index:05}\nh{index:05} A 192.0.2.1\n");
    }
    for index in 0..90 {
        text += &format!("b{index:05} NS none{index:05}\n");
    }
    assert_eq!(problems(&text).len(), 90);
}

const REPEATED: usize = 1000;

/// The problems of records behind a good SOA and NS.
fn problems(text: &str) -> Vec<String> {
    problems_of(&format!("{HEAD}{text}"))
}

fn problems_of(text: &str) -> Vec<String> {
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    let (records, warnings) = ZoneRecords::parse(text.as_bytes(), "zone", &origin).unwrap();
    assert_eq!(warnings, []);
    check(&records).iter().map(ToString::to_string).collect()
}

#[test]
fn nsec3_has_few_iterations_and_a_chain() {
    // The hash of `example.` with salt aabbccdd and 12 iterations: RFC 5155 Appendix A.
    let chain = "@ NSEC3PARAM 1 0 12 aabbccdd\n\
                 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 12 aabbccdd \
                 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom SOA\n";
    assert_eq!(
        problems(chain),
        ["zone:5:1: warning: 12 NSEC3 iterations: RFC 9276 wants none"]
    );
    assert_eq!(
        problems("@ NSEC3PARAM 1 0 151 aa\n"),
        [
            "zone:5:1: 151 NSEC3 iterations: at most 150 are served, and RFC 9276 wants none",
            "zone:5:1: warning: no NSEC3 record for the zone's own name has these parameters",
        ]
    );
    assert_eq!(
        problems("@ NSEC3PARAM 1 0 0 -\n"),
        ["zone:5:1: warning: no NSEC3 record for the zone's own name has these parameters"]
    );
}
