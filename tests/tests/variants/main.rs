//! Records that depend on where the client is.

mod health;

use ripples::geo::Geo;
use ripples::packet::Arrival;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot, Weighted};
use std::collections::HashMap;
use std::sync::Arc;
use tests::answers::{TIME_S, by_udp, reply, reply_to, snapshot_on};
use tests::ask::Ask;
use tests::decoded::Decoded;
use tests::maps::{map, maps, network};
use tests::name::Name;
use tests::record::rtype;
use tests::whereabouts::asked_from;

const EU: &str = "198.51.100.9";
const US: &str = "203.0.113.9";
const ASIA: &str = "203.0.113.200";
const AFRICA: &str = "192.0.2.7";
const NOWHERE: &str = "9.9.9.9";
const EU6: &str = "2001:db8::9";
const US6: &str = "2001:db8:1::9";

const ZONE: &str = "\
@ 300 SOA ns host 1 2 3 4 5
@ 300 NS ns.elsewhere.example.
@ 60 A 192.0.2.1
@ 60 MX 10 www
www 60 A 192.0.2.1
www 60 AAAA 2001:db8::1
www 60 TXT all
old 60 CNAME www
new 60 CNAME www.elsewhere.example.
*.wild 60 A 192.0.2.1
plain 60 A 192.0.2.1
even 60 A 192.0.2.1
even.of.us 60 A 192.0.2.1
large 60 TXT everybody
api 60 A 192.0.2.1
$VARIANT eu
@ 60 A 192.0.2.10
www 60 A 192.0.2.10
www 60 A 192.0.2.11
new 60 CNAME old
*.wild 60 A 192.0.2.10
$GENERATE 1-100 large 60 TXT \"text number $ for europe\"
$VARIANT us fallback=eu
www 30 A 192.0.2.20
www 60 AAAA 2001:db8::20
$VARIANT map=world2 * weight=1
even 60 A 192.0.2.31
$VARIANT * weight=3
even 60 A 192.0.2.33
$VARIANT map=world us weight=1
even.of.us 60 A 192.0.2.41
$VARIANT us weight=3
even.of.us 60 A 192.0.2.43
$VARIANT *
api 60 A 192.0.2.50
";

#[test]
fn each_client_gets_its_regions_records() {
    let world = world();
    for (client, a) in [
        (EU, &["192.0.2.10", "192.0.2.11"][..]),
        (US, &["192.0.2.20"]),
        (NOWHERE, &["192.0.2.1"]),
        (AFRICA, &["192.0.2.1"]),
        (ASIA, &["192.0.2.10", "192.0.2.11"]),
        (EU6, &["192.0.2.10", "192.0.2.11"]),
        (US6, &["192.0.2.20"]),
    ] {
        let reply = asked_from(&world, &www(rtype::A), client);
        assert_eq!((reply.texts(), reply.aa), (a.to_vec(), true), "{client}");
        let edns = asked_from(&world, &www(rtype::A).edns(1232), client);
        assert_eq!(edns.texts(), a, "{client}");
        assert_eq!(
            asked_from(&world, &www(rtype::TXT), client).texts(),
            ["all"]
        );
        assert_eq!(asked_from(&world, &www(rtype::ANY), client).texts(), a);
        assert_eq!(
            asked_from(&world, &www(rtype::MX), client)
                .authority()
                .len(),
            1
        );
        assert_eq!(
            asked_from(&world, &name("plain", rtype::A), client).texts(),
            ["192.0.2.1"]
        );
    }
    assert_eq!(asked_from(&world, &www(rtype::A), US).answer()[0].ttl, 30);
    // Europe has no AAAA, and America stands in for it on the map.
    assert_eq!(
        asked_from(&world, &www(rtype::AAAA), EU).texts(),
        ["2001:db8::20"]
    );
    assert_eq!(
        asked_from(&world, &www(rtype::AAAA), US).texts(),
        ["2001:db8::20"]
    );
    assert_eq!(
        asked_from(&world, &name("", rtype::A), EU).texts(),
        ["192.0.2.10"]
    );
    let exchange = asked_from(&world, &name("", rtype::MX), EU);
    assert_eq!(
        (exchange.answer().len(), exchange.additional().len()),
        (1, 0)
    );
}

#[test]
fn a_resolver_gets_what_the_client_behind_it_should_have() {
    let world = world();
    for (subnet, a, scope) in [
        ("198.51.100.0/24", "192.0.2.10", 24),
        ("203.0.113.0/25", "192.0.2.20", 25),
        // Finer than the resolver asked for: part of its network is elsewhere.
        ("203.0.113.0/24", "192.0.2.20", 25),
        ("203.0.113.77/32", "192.0.2.20", 25),
        ("192.0.2.0/24", "192.0.2.1", 24),
        ("0.0.0.0/1", "192.0.2.1", 5),
        ("2001:db8:1::/56", "192.0.2.20", 48),
        ("2001:db8:2::/56", "192.0.2.10", 47),
        ("::ffff:203.0.113.9/128", "192.0.2.1", 3),
    ] {
        let reply = asked_from(&world, &www(rtype::A).subnet(subnet), NOWHERE);
        assert_eq!(reply.texts()[0], a, "{subnet}");
        assert_eq!(
            reply.subnet(),
            Some((network(subnet).prefix_len(), scope)),
            "{subnet}"
        );
        // What does not vary is valid everywhere.
        let reply = asked_from(&world, &www(rtype::TXT).subnet(subnet), EU);
        assert_eq!(reply.subnet(), Some((network(subnet).prefix_len(), 0)));
        let reply = asked_from(&world, &name("none", rtype::A).subnet(subnet), EU);
        assert_eq!(reply.subnet(), Some((network(subnet).prefix_len(), 0)));
    }
    let any = asked_from(&world, &name("api", rtype::A).subnet("203.0.113.0/24"), EU);
    assert_eq!(
        (any.texts(), any.subnet()),
        (vec!["192.0.2.50"], Some((24, 0)))
    );
    for nobody in ["0.0.0.0/0", "::/0"] {
        let reply = asked_from(&world, &www(rtype::A).subnet(nobody), US);
        assert_eq!(
            (reply.texts()[0], reply.subnet()),
            ("192.0.2.20", Some((0, 0)))
        );
    }
}

#[test]
fn subnets_are_believed_only_of_those_who_may_tell() {
    let policy = |from: &[&str]| Policy {
        client_subnet_from: Some(from.iter().map(|text| network(text)).collect()),
        ..Policy::default()
    };
    let ask = || www(rtype::A).subnet("203.0.113.0/24");
    let world = world_with(policy(&["198.51.100.0/25", "2001:db8::/64"]));
    for (client, a, subnet) in [
        (EU, "192.0.2.20", Some((24, 25))),
        ("198.51.100.128", "192.0.2.10", None),
        (EU6, "192.0.2.20", Some((24, 25))),
        ("2001:db8:0:1::", "192.0.2.10", None),
    ] {
        let reply = asked_from(&world, &ask(), client);
        assert_eq!((reply.texts()[0], reply.subnet()), (a, subnet), "{client}");
    }
    let nobody = asked_from(&world_with(policy(&[])), &ask(), EU);
    assert_eq!((nobody.texts()[0], nobody.subnet()), ("192.0.2.10", None));
}

#[test]
fn chains_go_on_where_the_client_is_and_are_valid_for_the_smallest_of_their_networks() {
    let world = world();
    let europe = asked_from(&world, &name("new", rtype::A), EU);
    let expected = ["old.test.", "www.test.", "192.0.2.10", "192.0.2.11"];
    assert_eq!(europe.texts(), expected);
    assert_eq!(
        asked_from(&world, &name("new", rtype::A), US).texts(),
        ["www.elsewhere.example."]
    );
    assert_eq!(
        asked_from(&world, &name("new", rtype::CNAME), EU).texts(),
        ["old.test."]
    );
    let old = asked_from(&world, &name("old", rtype::A), US6);
    assert_eq!(old.texts(), ["www.test.", "192.0.2.20"]);
    let scoped = asked_from(&world, &name("old", rtype::A).subnet("203.0.113.0/24"), EU);
    assert_eq!(scoped.texts(), ["www.test.", "192.0.2.20"]);
    assert_eq!(scoped.subnet(), Some((24, 25)));
    let away = asked_from(&world, &name("new", rtype::A).subnet("203.0.113.0/24"), EU);
    assert_eq!(
        (away.texts(), away.subnet()),
        (vec!["www.elsewhere.example."], Some((24, 25)))
    );
}

#[test]
fn wildcards_vary_too() {
    let world = world();
    for (client, a) in [(EU, "192.0.2.10"), (US, "192.0.2.1"), (ASIA, "192.0.2.10")] {
        let reply = asked_from(&world, &name("any.name.wild", rtype::A), client);
        assert_eq!(reply.texts(), [a], "{client}");
        assert_eq!(reply.answer()[0].owner, Name::parse("any.name.wild.test"));
    }
    let reply = asked_from(
        &world,
        &name("x.wild", rtype::A).subnet("198.51.100.0/22"),
        US,
    );
    assert_eq!(
        (reply.texts(), reply.subnet()),
        (vec!["192.0.2.10"], Some((22, 24)))
    );
}

#[test]
fn a_variant_that_does_not_fit_is_cut_and_whole_over_tcp() {
    let world = world();
    let ask = name("large", rtype::TXT).subnet("198.51.100.0/24");
    let cut = Decoded::of(by_udp(&world, &ask.message()));
    assert!(cut.tc && cut.answer().is_empty());
    assert_eq!(cut.subnet(), Some((24, 24)));
    let whole = Decoded::of(reply(&world, &ask.message(), Transport::Tcp));
    assert_eq!((whole.tc, whole.answer().len()), (false, 100));
    let other = asked_from(&world, &name("large", rtype::TXT), US);
    assert_eq!(other.texts(), ["everybody"]);
}

#[test]
fn weights_say_how_many_clients_get_a_variant_and_each_always_gets_its_own() {
    let world = world();
    for (host, client, subnets) in [
        ("even", client4 as fn(u32) -> String, false),
        ("even", client6, false),
        ("even", client4, true),
        ("even.of.us", us_client4, false),
    ] {
        let ask = |number| match subnets {
            true => name(host, rtype::A).subnet(&format!("{}/24", client(number << 8))),
            false => name(host, rtype::A),
        };
        let from = |number| {
            if subnets {
                EU.to_owned()
            } else {
                client(number)
            }
        };
        let answers = (0..4000).map(|number| {
            let reply = asked_briefly(&world, &ask(number), &from(number));
            let again = asked_briefly(&world, &ask(number), &from(number));
            assert_eq!(reply.texts(), again.texts());
            // Another client behind another resolver may get another one.
            assert_eq!(reply.subnet(), subnets.then_some((24, 24)));
            reply.texts()[0].to_owned()
        });
        assert_three_quarters(answers, if host == "even" { ".33" } else { ".43" });
    }
    assert_eq!(
        asked_from(&world, &name("even.of.us", rtype::A), AFRICA).texts(),
        ["192.0.2.1"]
    );
}

#[test]
fn two_names_do_not_choose_alike() {
    let world = world();
    let both = (0..2000).filter(|&number| {
        let text = |host| {
            let reply = asked_briefly(&world, &name(host, rtype::A), &us_client4(number));
            reply.texts()[0].ends_with('3')
        };
        text("even") == text("even.of.us")
    });
    // 9/16 + 1/16 of them by chance.
    let both = both.count();
    assert!((1150..1350).contains(&both), "{both} of 2000 chose alike");
}

#[test]
fn at_random_each_query_of_a_client_chooses_anew() {
    let world = world_with(Policy {
        weighted: Weighted::Random,
        ..Policy::default()
    });
    for client in [EU, US6] {
        let answers = (0..4000).map(|id| {
            let mut ask = name("even", rtype::A).subnet("203.0.113.0/24");
            ask.id = id;
            let reply = asked_briefly(&world, &ask, client);
            assert_eq!(
                reply.subnet(),
                Some((24, 0)),
                "it does not depend on the subnet"
            );
            reply.texts()[0].to_owned()
        });
        assert_three_quarters(answers, ".33");
    }
}

#[test]
fn signed_variants_bring_their_signatures_to_who_asks() {
    let world = snapshot_on(
        &[("test.", &signed_zone())],
        Policy::default(),
        &Arc::new(geo()),
    );
    let ask = |dnssec_ok| {
        let mut ask = www(rtype::A).edns(1232);
        ask.edns.as_mut().unwrap().dnssec_ok = dnssec_ok;
        ask
    };
    for (client, a, key_tag) in [(EU, "192.0.2.10", 2), (US, "192.0.2.1", 1)] {
        assert_eq!(asked_from(&world, &ask(false), client).texts(), [a]);
        let signed = asked_from(&world, &ask(true), client);
        let [record, signature] = signed.answer() else {
            panic!("{:?}", signed.answer());
        };
        assert_eq!((record.rtype, &record.text[..]), (rtype::A, a));
        assert_eq!(
            (signature.rtype, &signature.rdata[16..18]),
            (rtype::RRSIG, &[0, key_tag][..])
        );
    }
}

fn world() -> Snapshot {
    world_with(Policy::default())
}

fn world_with(policy: Policy) -> Snapshot {
    snapshot_on(&[("test.", ZONE)], policy, &Arc::new(geo()))
}

/// Regions of a world: who is in none of the networks, is in the first.
fn geo() -> Geo {
    let regions: [(&str, &[&str]); 5] = [
        ("elsewhere", &[]),
        ("eu", &["us"]),
        ("us", &[]),
        ("as", &["af", "eu"]),
        ("af", &[]),
    ];
    let networks = [
        ("198.51.100.0/24", "eu"),
        ("203.0.113.0/25", "us"),
        ("203.0.113.128/25", "as"),
        ("192.0.2.0/24", "af"),
        ("10.0.0.0/8", "us"),
        ("2001:db8::/32", "eu"),
        ("2001:db8:1::/48", "us"),
    ];
    let one: [(&str, &[&str]); 1] = [("all", &[])];
    maps([map("world", &regions, &networks), map("world2", &one, &[])])
}

/// A zone that is signed, in a way: whose signatures have key tags to know them by.
fn signed_zone() -> String {
    let signature = |owner: &str, rtype: &str, key_tag: u8| {
        let times = "20300101000000 20200101000000";
        format!("{owner} 60 RRSIG {rtype} 13 2 60 {times} {key_tag} test. AAAA\n")
    };
    format!(
        "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.example.\n@ 300 DNSKEY 257 3 13 AA==\n\
         {}www 60 A 192.0.2.1\n{}$VARIANT eu\nwww 60 A 192.0.2.10\n{}",
        signature("@", "SOA", 9),
        signature("www", "A", 1),
        signature("www", "A", 2),
    )
}

/// The reply by UDP only: there are many of them.
fn asked_briefly(snapshot: &Snapshot, ask: &Ask, client: &str) -> Decoded {
    let arrival = Arrival {
        client: client.parse().expect("an address"),
        transport: Transport::Udp,
        time_s: TIME_S,
    };
    Decoded::of(reply_to(snapshot, &ask.message(), &arrival))
}

/// Three of four answers are the usual one: by chance within five standard deviations, 137 of 4000.
fn assert_three_quarters(answers: impl Iterator<Item = String>, usual: &str) {
    let mut counts = HashMap::<_, usize>::new();
    for answer in answers {
        *counts.entry(answer.ends_with(usual)).or_default() += 1;
    }
    let usual_count = counts[&true];
    assert!(counts[&false] + usual_count == 4000);
    assert!((2863..3137).contains(&usual_count), "{usual_count} of 4000");
}

/// Clients all over the world.
fn client4(number: u32) -> String {
    let [_, b, c, d] = number.to_be_bytes();
    format!("11.{b}.{c}.{d}")
}

fn us_client4(number: u32) -> String {
    let [_, b, c, d] = number.to_be_bytes();
    format!("10.{b}.{c}.{d}")
}

fn client6(number: u32) -> String {
    format!("2400:{:x}::{:x}:1", number % 64, number / 64)
}

fn www(qtype: u16) -> Ask {
    name("www", qtype)
}

/// A query for a name below `test.`
fn name(name: &str, qtype: u16) -> Ask {
    let dot = if name.is_empty() { "" } else { "." };
    Ask::new(Name::parse(&format!("{name}{dot}test.")), qtype)
}
