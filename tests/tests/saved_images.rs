//! Saved images: read back they are what they were; hostile ones are refused, or do no harm.

use proptest::prelude::*;
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Part, Policy, Snapshot};
use ripples::zone::image::{ZoneImage, seal, write};
use ripples::zone::saved::read;
use std::thread;
use tests::answers::{WORLD, reply, snapshot_of, snapshot_with};
use tests::ask::Ask;
use tests::cases;
use tests::name::Name;
use tests::saved::{SEED, ask_all, questions, read_mended, saved, snapshot};
use tests::worlds::scenario;

/// A zone with one of everything, and no signatures.
const SMALL: &str = "\
@ 60 SOA ns h 1 2 3 4 5
@ 60 NS ns
@ 60 MX 1 mail.sub
ns 60 A 192.0.2.1
*.w 60 TXT x
a 60 CNAME b.w
d 60 DNAME w
s 60 SRV 1 2 3 ns
sub 60 NS mail.sub
mail.sub 60 A 192.0.2.2
x.e.n.t 60 PTR ns
";

/// Signed as far as a server looks: the signatures are nothing but bytes.
const SIGNED: &str = "\
@ 60 SOA ns h 1 2 3 4 5
@ 60 NS ns
@ 60 RRSIG SOA 13 1 60 20300101000000 20200101000000 1 test. AAAA
@ 60 RRSIG NS 13 1 60 20300101000000 20200101000000 1 test. AAAA
@ 60 NSEC ns SOA NS RRSIG NSEC
@ 60 RRSIG NSEC 13 1 60 20300101000000 20200101000000 1 test. AAAA
ns 60 A 192.0.2.1
ns 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 test. AAAA
ns 60 NSEC sub A RRSIG NSEC
sub 60 NS ns.sub
ns.sub 60 A 192.0.2.2
sub 60 NSEC *.w NS NSEC
*.w 60 A 192.0.2.3
*.w 60 NSEC @ A NSEC
";

/// With the hashes of the apex and of `ns`; the cut is left out.
const HASHED: &str = "\
@ 60 SOA ns h 1 2 3 4 5
@ 60 NS ns
@ 60 NSEC3PARAM 1 0 0 -
ns 60 A 192.0.2.1
sub 60 NS ns
5u2i2h5co0ebb4r9hipbku7pea6ggpsv 60 NSEC3 1 1 0 - fj6tvcil6njknsngsjd7it4c3topds19 A
fj6tvcil6njknsngsjd7it4c3topds19 60 NSEC3 1 1 0 - 5u2i2h5co0ebb4r9hipbku7pea6ggpsv A
";

fn images(zones: &[(&str, &str)]) -> Vec<ZoneImage> {
    snapshot_with(zones, Policy::default()).zones().to_vec()
}

fn small(text: &str) -> ZoneImage {
    images(&[("test.", text)]).remove(0)
}

/// Reads back what was saved; it must be the same.
fn round_trip(image: &ZoneImage) -> ZoneImage {
    let read = read(&saved(image)).unwrap_or_else(|flaw| panic!("{flaw}"));
    assert!(read.image_bytes() == image.image_bytes());
    assert_eq!(read.saved().expect("it comes from a file").key(), SEED);
    read
}

#[test]
fn what_is_read_back_is_what_was_saved_and_answers_alike() {
    for image in images(&WORLD)
        .into_iter()
        .chain([SMALL, SIGNED, HASHED].map(small))
    {
        let read = round_trip(&image);
        let questions = questions(&image);
        let (built, mapped) = (snapshot(image), snapshot(read));
        assert_eq!(mapped.key(), &NameKey::new(SEED), "the file's key is used");
        let (zones, saved) = (Part::Zones, Part::SavedZones);
        assert_eq!([built.part_bytes(saved), mapped.part_bytes(zones)], [0, 0]);
        assert!(
            mapped.part_bytes(saved) > built.part_bytes(zones),
            "hashes are in the file"
        );
        for question in questions {
            for transport in [Transport::Udp, Transport::Tcp] {
                assert_eq!(
                    reply(&mapped, &question, transport),
                    reply(&built, &question, transport)
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn random_zones_answer_alike_from_files(scenario in scenario(40)) {
        let built = snapshot_of(&scenario.zones);
        // Every other zone comes from a file; their keys are not the same.
        let zones = built.zones().iter().zip(0u64..);
        let zones = zones.map(|(zone, number)| {
            if number % 2 == 1 {
                return zone.clone();
            }
            let mut file = Vec::new();
            write(zone, [number, 1, 2], &[], &mut file).unwrap();
            read(&file).unwrap_or_else(|flaw| panic!("{flaw}"))
        });
        let key = NameKey::new([4, 5, 6]);
        let zones = zones.map(Into::into).collect();
        let mapped = Snapshot::new(1, zones, Policy::default(), key).unwrap();
        for ask in &scenario.asks {
            let message = ask.message();
            let expected = reply(&built, &message, Transport::Tcp);
            prop_assert_eq!(reply(&mapped, &message, Transport::Tcp), expected);
        }
    }
}

/// Changes every byte in several ways, on two threads; says how often this was not refused.
fn flipped(text: &str) -> usize {
    let image = small(text);
    let (file, questions) = (saved(&image), questions(&image));
    let flip = |part: usize| {
        let mut accepted = 0;
        for at in (part..file.len() - 8).step_by(2) {
            for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                let mut hostile = file.clone();
                hostile[at] ^= mask;
                let delta = i32::from(hostile[at]) - i32::from(file[at]);
                if let Ok(image) = read_mended(&mut hostile, at, delta) {
                    ask_all(image, &questions);
                    accepted += 1;
                }
            }
        }
        accepted
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| flip(1));
        flip(0) + other.join().expect("no panic")
    })
}

#[test]
fn no_byte_of_an_unsigned_image_can_be_changed_to_do_harm() {
    // Data and TTLs of records may be anything.
    assert!(flipped(SMALL) > 100);
}

#[test]
fn no_byte_of_an_image_with_nsec_can_be_changed_to_do_harm() {
    assert!(flipped(SIGNED) > 100);
}

#[test]
fn no_byte_of_an_image_with_nsec3_can_be_changed_to_do_harm() {
    assert!(flipped(HASHED) > 100);
}

#[test]
fn a_damaged_or_shortened_file_is_refused() {
    let file = saved(&small(SIGNED));
    for len in 0..file.len() {
        assert!(read(&file[..len]).is_err(), "{len} bytes");
        let mut short = file[..len].to_vec();
        seal(&mut short);
        assert!(read(&short).is_err(), "{len} bytes, sealed");
    }
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        assert!(read(&damaged).is_err(), "byte {at}");
    }
    let longer = [&file[..], &[0; 64]].concat();
    assert!(read(&longer).is_err());
}

#[test]
fn flaws_say_where_and_what() {
    let file = saved(&small(SMALL));
    for (at, byte, what) in [
        (0, b'R', "byte 0: this is no saved image"),
        (
            7,
            5,
            "byte 7: the image is of version 5, and this server knows 4: run `ripples compile`",
        ),
        (24, 0, "the number of hashes is not that of the names"),
        (72, 9, "byte 72: this is no name"),
    ] {
        let mut hostile = file.clone();
        hostile[at] = byte;
        seal(&mut hostile);
        let flaw = read(&hostile).err().expect(what).to_string();
        assert!(flaw.contains(what), "{what}: {flaw}");
    }
    let mut damaged = file.clone();
    damaged[100] ^= 1;
    let flaw = read(&damaged).err().expect("damage").to_string();
    assert!(
        flaw.ends_with("the checksum is wrong: the file is damaged"),
        "{flaw}"
    );
}

/// Who knows a file's key can find names whose hashes are in one bucket, and thousands of them
/// would be slow to find.
#[test]
fn names_are_hashed_anew_where_the_files_key_makes_them_collide() {
    let key = NameKey::new(SEED);
    let names = (0..).map(|number| format!("h{number}"));
    let crowd = names.filter(|name| {
        let wire = Name::parse(&format!("{name}.test.")).wire();
        key.hash(&wire) < u64::MAX / 200
    });
    let lines: String = crowd
        .take(800)
        .map(|name| name + " 60 A 192.0.2.1\n")
        .collect();
    let image = round_trip(&small(&format!("{SMALL}{lines}")));
    let names: Vec<_> = image
        .nodes()
        .map(|(_, node)| Name::of_wire(node.name()))
        .collect();
    let snapshot = snapshot(image);
    assert_ne!(snapshot.key(), &key);
    for name in names {
        let reply = reply(&snapshot, &Ask::new(name, 1).message(), Transport::Udp);
        assert_eq!(reply.expect("a reply")[3] & 0x0f, 0, "the name exists");
    }
}
