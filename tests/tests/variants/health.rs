//! Variants and addresses that are down.

use super::{ASIA, EU, US, geo, name, signed_zone, world, www};
use ripples::packet::NameKey;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::records::ZoneRecords;
use ripples::zone::served::ServedZone;
use ripples::zone::variants::{AllDown, Block, Health};
use std::net::IpAddr;
use std::sync::Arc;
use tests::answers::snapshot_on;
use tests::record::rtype;
use tests::whereabouts::asked_from;

/// What is down, by its last octet; and a region that nobody shall get.
struct Down(&'static [u8], Option<&'static str>);

impl Health for Down {
    fn is_usable(&self, _: &[u8], block: &Block) -> bool {
        self.1.is_none() || block.region.as_deref() != self.1
    }

    fn is_up(&self, owner: &[u8], address: IpAddr) -> bool {
        assert!(owner.ends_with(b"\x04test\0"));
        match address {
            IpAddr::V4(address) => !self.0.contains(&address.octets()[3]),
            IpAddr::V6(address) => !self.0.contains(&address.octets()[15]),
        }
    }
}

#[test]
fn what_is_down_leaves_the_answers_until_nothing_is_left() {
    let texts = |down: Down, host: &str, client| {
        let world = world().with_geo(Arc::new(geo()), Some(&down)).unwrap();
        let reply = asked_from(&world, &name(host, rtype::A), client);
        reply
            .texts()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(Down(&[10], None), "www", EU), ["192.0.2.11"]);
    assert_eq!(texts(Down(&[10], None), "www", US), ["192.0.2.20"]);
    // America names Europe, whatever the map says; Europe has nobody.
    assert_eq!(
        texts(Down(&[20], None), "www", US),
        ["192.0.2.10", "192.0.2.11"]
    );
    assert_eq!(
        texts(Down(&[], Some("us")), "www", US),
        ["192.0.2.10", "192.0.2.11"]
    );
    assert_eq!(texts(Down(&[10, 11], None), "www", EU), ["192.0.2.20"]);
    assert_eq!(texts(Down(&[10, 11, 20], None), "www", US), ["192.0.2.1"]);
    assert_eq!(
        texts(Down(&[1, 10, 11, 20], None), "www", US),
        ["192.0.2.1"],
        "all is down"
    );
    for client in [EU, US, ASIA] {
        assert_eq!(texts(Down(&[33], None), "even", client), ["192.0.2.31"]);
        assert_eq!(texts(Down(&[], None), "plain", client), ["192.0.2.1"]);
    }
}

/// As `Down`, but where all variants are down they are answered with.
struct AllAnswer(Down);

impl Health for AllAnswer {
    fn all_down(&self) -> AllDown {
        AllDown::AnswerAll
    }

    fn is_usable(&self, owner: &[u8], block: &Block) -> bool {
        self.0.is_usable(owner, block)
    }

    fn is_up(&self, owner: &[u8], address: IpAddr) -> bool {
        self.0.is_up(owner, address)
    }
}

#[test]
fn where_all_variants_are_down_the_first_that_would_be_are_answered_with_if_so_configured() {
    let texts = |down: Down, client| {
        let health = AllAnswer(down);
        let world = world().with_geo(Arc::new(geo()), Some(&health)).unwrap();
        let reply = asked_from(&world, &www(rtype::A), client);
        reply
            .texts()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(Down(&[10], None), EU), ["192.0.2.11"]);
    assert_eq!(texts(Down(&[10, 11], None), EU), ["192.0.2.20"]);
    let all = &[10, 11, 20];
    assert_eq!(texts(Down(all, None), US), ["192.0.2.20"]);
    assert_eq!(texts(Down(all, None), EU), ["192.0.2.10", "192.0.2.11"]);
    let and_us = Down(&[10, 11], Some("us"));
    assert_eq!(texts(and_us, US), ["192.0.2.20"]);
}

#[test]
fn a_signed_record_set_stays_whole_until_all_of_it_is_down() {
    let zone = signed_zone() + "www 60 A 192.0.2.11\n";
    let world = snapshot_on(&[("test.", &zone)], Policy::default(), &Arc::new(geo()));
    let with = |down: Down| {
        let again = world.again(2, Policy::default(), Arc::new(geo()), Some(&down));
        again.unwrap()
    };
    let half = asked_from(&with(Down(&[10], None)), &www(rtype::A), EU);
    assert_eq!(half.texts(), ["192.0.2.10", "192.0.2.11"]);
    let none = asked_from(&with(Down(&[10, 11], None)), &www(rtype::A), EU);
    assert_eq!(none.texts(), ["192.0.2.1"]);
}

#[test]
fn names_without_variants_can_do_without_what_is_down() {
    let zone = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.example.\n@ 60 TXT x\n\
                two 60 A 192.0.2.1\ntwo 60 A 192.0.2.2\ntwo 60 TXT x\nmail 60 MX 10 two\n";
    let parsed = ZoneRecords::parse(zone.as_bytes(), "z", b"\x04test\0");
    let (records, _) = parsed.expect("a good zone");
    let checked = [&b"\x03two\x04test\0"[..], b"\x04none\x04test\0", b"\x01x\0"];
    let checked = checked.map(<[u8]>::to_vec);
    let zone = ServedZone::compile(&records, &[], &checked).expect("a good zone");
    let key = NameKey::new([1, 2, 3]);
    let world = Snapshot::new(1, vec![zone], Policy::default(), key).unwrap();
    let addresses = |world: &Snapshot| {
        let reply = asked_from(world, &name("two", rtype::A), EU);
        reply
            .texts()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(addresses(&world), ["192.0.2.1", "192.0.2.2"]);
    for (down, left) in [
        (Down(&[1], None), vec!["192.0.2.2"]),
        (Down(&[2], None), vec!["192.0.2.1"]),
        (Down(&[1, 2], None), vec!["192.0.2.1", "192.0.2.2"]),
    ] {
        let left: Vec<_> = left.into_iter().map(str::to_owned).collect();
        let world = world
            .again(2, Policy::default(), Arc::default(), Some(&down))
            .unwrap();
        assert_eq!((world.generation(), addresses(&world)), (2, left));
        assert_eq!(
            asked_from(&world, &name("two", rtype::TXT), EU).texts(),
            ["x"]
        );
        let mail = asked_from(&world, &name("mail", rtype::MX), EU);
        assert_eq!(mail.additional(), [], "they may be down");
    }
}
