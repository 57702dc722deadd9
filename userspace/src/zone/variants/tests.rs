//! What is complained about, and where.

use super::*;
use crate::geo::{Geo, GeoMap, Region, RegionTree};
use crate::name::NameBuf;
use crate::zone::served::ServedZone;
use crate::zone::{check::check, error::ZoneProblem};

const HEAD: &str = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.\nwww 60 A 192.0.2.1\n";

/// Reads and checks a zone of these lines, the first of which is line 4.
fn read(lines: &str) -> Result<ZoneRecords, Vec<String>> {
    let origin = NameBuf::from_text(b"example.", crate::name::ROOT).unwrap();
    let shown = |problems: &[ZoneProblem]| problems.iter().map(ToString::to_string).collect();
    let text = format!("{HEAD}{lines}");
    let parsed = ZoneRecords::parse(text.as_bytes(), "z", &origin);
    let (records, warnings) = parsed.map_err(|problems| shown(&problems))?;
    let mut problems = warnings;
    problems.extend(check(&records));
    match problems.is_empty() {
        true => Ok(records),
        false => Err(shown(&problems)),
    }
}

fn problems(lines: &str) -> Vec<String> {
    read(lines).err().unwrap_or_default()
}

#[test]
fn a_line_that_opens_a_variant_is_held_to_its_words() {
    for (line, problem) in [
        ("$VARIANT eu us", "z:4:13: `us` is one too many here"),
        (
            "$VARIANT weight=2",
            "z:4:10: a region is missing: its name, or `*` for any",
        ),
        (
            "$VARIANT eu weight=0",
            "z:4:13: the weight `0` is no number from 1 to 1000",
        ),
        (
            "$VARIANT eu weight=1001",
            "z:4:13: the weight `1001` is no number from 1 to 1000",
        ),
        (
            "$VARIANT eu weight=+1",
            "z:4:13: the weight `+1` is no number from 1 to 1000",
        ),
        (
            "$VARIANT eu weight=",
            "z:4:13: the weight `` is no number from 1 to 1000",
        ),
        (
            "$VARIANT eu weight=1 weight=1",
            "z:4:22: `weight=1` is one too many here",
        ),
        (
            "$VARIANT eu colour=red",
            "z:4:13: `colour` is none of map, weight, fallback",
        ),
        (
            "$VARIANT map= eu",
            "z:4:10: there is no name behind the `=`",
        ),
        (
            "$VARIANT eu fallback=us,",
            "z:4:13: there is no name behind the `=`",
        ),
        (
            "$VARIANT * fallback=eu",
            "z:4:21: `*` is for any region: nothing stands in for it",
        ),
    ] {
        let problems = problems(&format!("{line}\n"));
        assert_eq!(problems.len(), 1, "{line}: {problems:?}");
        let column_apart = |text: &str| {
            let (place, message) = text.split_once(": ").unwrap();
            (
                place.rsplit_once(':').unwrap().0.to_owned(),
                message.to_owned(),
            )
        };
        assert_eq!(column_apart(&problems[0]), column_apart(problem));
    }
    assert_eq!(
        problems("$VARIANT\n$VARIANT ( eu ; why\n weight=7 )\nwww 60 A 192.0.2.2\n$VARIANT"),
        [""; 0]
    );
}

#[test]
fn a_variant_needs_records_for_everybody_and_a_type_that_may_vary() {
    for (lines, problem) in [
        (
            "www 60 AAAA ::1",
            "z:5:1: www.example. has AAAA for eu, but none for everybody else",
        ),
        (
            "x 60 A 192.0.2.2",
            "z:5:1: x.example. has A for eu, but none for everybody else",
        ),
        (
            "www 60 CNAME x",
            "z:5:1: www.example. has CNAME for eu, but none for everybody else",
        ),
        ("@ 300 NS ns", "z:5:1: NS records cannot have variants"),
        (
            "@ 300 SOA ns host 1 2 3 4 5",
            "z:5:1: SOA records cannot have variants",
        ),
        (
            "www 60 DNAME x",
            "z:5:1: DNAME records cannot have variants",
        ),
        (
            "www 60 CDNSKEY 257 3 13 AA==",
            "z:5:1: CDNSKEY records cannot have variants",
        ),
        (
            "www 60 NSEC x A",
            "z:5:1: NSEC records cannot have variants",
        ),
        (
            "www.other. 60 A 192.0.2.2",
            "z:5:1: www.other. is outside of the zone example.",
        ),
        (
            "www 60 RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AA==",
            "z:5:1: this variant of www.example. has a signature of A, but no such record",
        ),
    ] {
        assert_eq!(
            problems(&format!("$VARIANT eu\n{lines}\n")),
            [problem],
            "{lines}"
        );
    }
    let beside = "a 60 CNAME www\n$VARIANT eu\na 60 A 192.0.2.2\n";
    let problem = "z:6:1: a.example. has CNAME and other data: A for eu";
    assert_eq!(problems(beside), [problem]);
    let two = "a 60 CNAME www\n$VARIANT *\na 60 CNAME b\na 60 CNAME c\n";
    assert_eq!(
        problems(two),
        ["z:6:1: a.example. has 2 CNAME records in one variant"]
    );
}

#[test]
fn what_another_name_hides_cannot_vary() {
    let cut = "sub 60 NS ns.sub\nns.sub 60 A 192.0.2.9\n$VARIANT eu\n";
    assert_eq!(
        problems(&format!("{cut}ns.sub 60 A 192.0.2.2\n")),
        ["z:7:1: ns.sub.example. is below a delegation: its variants are never answered"]
    );
    assert_eq!(
        problems(&format!("{cut}sub 60 A 192.0.2.2\n")),
        ["z:7:1: sub.example. is a delegation: its variants are never answered"]
    );
    assert_eq!(
        problems("d 60 DNAME www\n$VARIANT eu\nx.d 60 A 192.0.2.2\n"),
        ["z:6:1: x.d.example. is below a DNAME record"]
    );
}

#[test]
fn in_a_signed_zone_each_variant_carries_its_signatures() {
    let key = "@ 300 DNSKEY 257 3 13 AA==\n";
    let plain = "$VARIANT eu\nwww 60 A 192.0.2.2\n";
    let signature = "www 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AA==\n";
    let problem = "z:6:1: the zone is signed: this variant of www.example. A needs its RRSIG \
                   records, behind the same $VARIANT";
    assert_eq!(problems(&format!("{key}{plain}")), [problem]);
    let elsewhere = format!("{key}{plain}$VARIANT us\n{signature}");
    assert_eq!(problems(&elsewhere).len(), 2);
    assert_eq!(problems(&format!("{key}{plain}{signature}")), [""; 0]);
}

#[test]
fn blocks_are_told_apart_by_their_lines_and_end_with_the_file_that_opened_them() {
    let room = tempfile();
    std::fs::write(room.join("inner"), "$VARIANT us\nwww 60 A 192.0.2.4\n").unwrap();
    std::fs::write(room.join("plain"), "www 60 A 192.0.2.5\n").unwrap();
    let inner = room.join("inner").display().to_string();
    let plain = room.join("plain").display().to_string();
    let lines = format!(
        "$VARIANT eu\n$GENERATE 2-3 www 60 A 192.0.2.$\n$VARIANT\n$INCLUDE {inner}\n\
         ok 60 A 192.0.2.9\n$VARIANT map=m eu weight=3\n$INCLUDE {plain}\n$VARIANT *\n\
         www 60 A 192.0.2.6\n"
    );
    let records = read(&lines).unwrap();
    assert_eq!(records.record_count(), 4, "those for everybody");
    let zone = ServedZone::compile(&records, &[], &[]).unwrap();
    let variants = zone.variants.unwrap();
    assert_eq!(variants.names(), [b"\x03www"]);
    let shown = |index| {
        let (block, owner) = variants.member(index);
        let octets = owner
            .rrsets()
            .flat_map(|rrset| rrset.records())
            .map(|data| data[3]);
        let block = block.map(|block| {
            let Block {
                region,
                map,
                weight,
                ..
            } = block;
            format!("{region:?} {map:?} {weight}").replace("Some", "")
        });
        (block.unwrap_or_default(), octets.collect::<Vec<_>>())
    };
    let all: Vec<_> = variants.members_of(0).map(shown).collect();
    let expected = [
        ("", &[1][..]),
        ("(\"eu\") None 1", &[2, 3]),
        ("(\"us\") None 1", &[4]),
        ("(\"eu\") (\"m\") 3", &[5]),
        ("None (\"m\") 1", &[6]),
    ];
    let expected = expected.map(|(block, octets)| (block.to_owned(), octets.to_vec()));
    assert_eq!(all, expected);
    let nested = read(&format!("$VARIANT eu\n$INCLUDE {inner}\n"));
    let problem = "a file that is included within a variant has no $VARIANT itself";
    assert!(nested.unwrap_err()[0].ends_with(problem));
    std::fs::remove_dir_all(room).unwrap();
}

fn tempfile() -> std::path::PathBuf {
    let room = std::env::temp_dir().join(format!("ripples-variants-{}", std::process::id()));
    std::fs::create_dir_all(&room).unwrap();
    room
}

#[test]
fn maps_and_regions_must_be_those_that_are_configured() {
    let lines = "$VARIANT eu fallback=mars\nwww 60 A 192.0.2.2\n$VARIANT map=moon eu\n\
                 www 60 A 192.0.2.3\n$VARIANT map=w venus\nwww 60 A 192.0.2.4\n\
                 $VARIANT map=v eu\nwww 60 A 192.0.2.4\n";
    let zone = ServedZone::compile(&read(lines).unwrap(), &[], &[]).unwrap();
    let variants = zone.variants.unwrap();
    let maps = Geo {
        maps: ["w", "v"].map(world).into(),
    };
    assert_eq!(
        variants.problems(&maps),
        [
            "z:4:10: the map `w` has no region `mars`; it has us, eu",
            "z:6:19: there is no map `moon`",
            "z:8:16: the map `w` has no region `venus`; it has us, eu",
            "z:10:16: www.example. A varies by two maps",
        ]
    );
    let none = variants.problems(&Geo::default());
    assert_eq!(
        none[0],
        "z:4:10: there is no map: the configuration has no [geo.map.…]"
    );
    let any = read("$VARIANT *\nwww 60 A 192.0.2.2\n").unwrap();
    let any = ServedZone::compile(&any, &[], &[]).unwrap();
    assert_eq!(any.variants.unwrap().problems(&Geo::default()), [""; 0]);
}

fn world(name: &str) -> GeoMap {
    let region = |name: &str| Region {
        name: name.into(),
        fallbacks: Box::default(),
    };
    GeoMap {
        name: name.into(),
        regions: ["us", "eu"].map(region).into(),
        tree: RegionTree::of(0, []).unwrap(),
    }
}
