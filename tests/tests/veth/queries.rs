//! What kdig and dig see, and which way it came.

use crate::stage::{INTERFACE, Stage, xdp};
use common::Verdict;
use tests::client::{self, query};
use tests::record::rtype;

/// The programs that ask.
const PROGRAMS: [&str; 2] = ["kdig", "dig"];

#[test]
fn kdig_and_dig_are_answered_over_af_xdp_in_both_families() {
    let Some(stage) = Stage::new(&[]) else { return };
    let cases: [(&str, &[&str]); 8] = [
        ("www.example A", &["status: NOERROR", " aa", "192.0.2.80"]),
        ("www.example AAAA", &["status: NOERROR", "2001:db8::80"]),
        ("example NS", &["ns1.example.", "ns2.example.", "fd53::1"]),
        (
            "example SOA",
            &["ns1.example. hostmaster.example. 1 7200 3600 1209600 300"],
        ),
        (
            "nosuch.example A",
            &["status: NXDOMAIN", "SOA", "hostmaster.example."],
        ),
        (
            "gap.example A",
            &["status: NOERROR", "ANSWER: 0", "hostmaster.example."],
        ),
        (
            "deep.sub.example A",
            &[
                "ANSWER: 0",
                "ns1.sub.example.",
                "192.0.2.53",
                "2001:db8::53",
            ],
        ),
        ("www.elsewhere.test A", &["status: REFUSED"]),
    ];
    let mut asked = 0;
    for address in stage.addresses() {
        for program in PROGRAMS {
            for (question, expected) in cases {
                let said = ask(&stage, program, &address.ip().to_string(), question);
                for text in expected {
                    assert!(said.contains(text), "{program} {question}: {text}: {said}");
                }
                asked += 1;
            }
        }
    }
    let stats = stage.await_answers(asked, 0);
    assert_eq!(stats.xdp(INTERFACE, Verdict::Redirect), asked, "{stats}");
    assert_eq!(stats.total("received"), asked, "{stats}");
    stage.server.stop();
}

#[test]
fn edns_is_answered_as_it_was_asked() {
    let Some(stage) = Stage::new(&[]) else { return };
    let ip = stage.addresses()[0].ip().to_string();
    for program in PROGRAMS {
        let said = ask(
            &stage,
            program,
            &ip,
            "www.example A +edns +bufsize=4096 +dnssec",
        );
        assert!(
            said.contains("ersion: 0") && said.contains("flags: do; "),
            "{said}"
        );
        assert!(said.contains("1232"), "{said}");
        let said = ask(&stage, program, &ip, "www.example A +noedns");
        assert!(!said.contains("EDNS"), "{said}");
        let strange = if program == "dig" {
            " +noednsnegotiation"
        } else {
            ""
        };
        let said = ask(
            &stage,
            program,
            &ip,
            &format!("www.example A +edns=1{strange}"),
        );
        assert!(said.contains("BADVERS"), "{said}");
    }
    let stats = stage.await_answers(6, 0);
    assert_eq!(xdp(&stats, "rcodes.badvers"), 2, "{stats}");
    stage.server.stop();
}

#[test]
fn a_truncated_answer_is_had_over_tcp_from_the_kernel_s_sockets() {
    let Some(stage) = Stage::new(&[]) else { return };
    let mut asked = 0;
    for address in stage.addresses() {
        for program in PROGRAMS {
            let question = "large.example AAAA +short";
            let said = ask(&stage, program, &address.ip().to_string(), question);
            let answers = said.lines().filter(|line| line.starts_with("2001:db8:1::"));
            assert_eq!(answers.count(), 120, "{program}: {said}");
            asked += 1;
            // Fits with EDNS, and does not without.
            let question = "medium.example A +edns +bufsize=1232 +ignore";
            let said = ask(&stage, program, &address.ip().to_string(), question);
            assert!(said.contains("ANSWER: 40"), "{program}: {said}");
            let question = "medium.example A +noedns +ignore";
            let said = ask(&stage, program, &address.ip().to_string(), question);
            assert!(
                said.contains(" tc") && said.contains("ANSWER: 0"),
                "{program}: {said}"
            );
        }
    }
    let stats = stage.await_answers(3 * asked, asked);
    assert_eq!(xdp(&stats, "events.truncated"), 2 * asked, "{stats}");
    assert_eq!(stats.tcp("events.queries"), asked, "{stats}");
    assert_eq!(
        stats.xdp(INTERFACE, Verdict::Redirect),
        3 * asked,
        "{stats}"
    );
    assert!(stats.xdp(INTERFACE, Verdict::NotUdp) > 0, "{stats}");
    stage.server.stop();
}

#[test]
fn a_tcp_connection_stays_for_several_queries() {
    let Some(stage) = Stage::new(&[]) else { return };
    let ip = stage.addresses()[1].ip().to_string();
    let question = "+tcp +keepopen +short www.example A mail.example A ns1.example AAAA";
    let said = ask(&stage, "kdig", &ip, question);
    assert_eq!(said, "192.0.2.80\n192.0.2.25\nfd53::1\n");
    let stats = stage.await_answers(0, 3);
    assert_eq!(stats.tcp("events.accepted"), 1, "{stats}");
    stage.server.stop();
}

#[test]
fn both_queues_are_served() {
    let Some(stage) = Stage::new(&[]) else { return };
    let query = query("www.example", rtype::A);
    let mut asked = 0;
    // Veth sends each socket's packets to one queue; which one, its hash says.
    for _ in 0..10 {
        for address in stage.addresses() {
            stage.client(|| (0..20).for_each(|_| drop(client::ask(address, &query))));
            asked += 20;
        }
        let stats = stage.await_answers(asked, 0);
        if stats.worker("server0/0", "answers") > 0 && stats.worker("server0/1", "answers") > 0 {
            stage.server.stop();
            return;
        }
    }
    panic!(
        "one queue got all {asked} queries: {}",
        stage.server.stats()
    );
}

/// What a program prints for a question to the server at `ip`.
fn ask(stage: &Stage, program: &str, ip: &str, question: &str) -> String {
    let mut arguments = vec![format!("@{ip}"), "+time=5".into(), "+tries=1".into()];
    if program == "kdig" {
        arguments[1] = "+timeout=5".into();
        arguments[2] = "+retry=0".into();
    }
    arguments.extend(question.split_whitespace().map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    stage.client_program(program, &arguments)
}
