//! The kernel program's decision, on the host: a table, and a second opinion on random frames.

use common::{FilterConfig, Verdict, classify};
use proptest::prelude::*;
use ripples::packet::headers;
use ripples::telemetry::Discard;
use std::net::SocketAddr;
use tests::verdict_cases::{cases, endpoints};
use tests::{judge, strategies};

#[test]
fn every_case_of_the_table_gets_its_verdict() {
    let config = FilterConfig::new(&endpoints()).unwrap();
    for case in cases() {
        assert_eq!(
            classify(&case.frame[..], &config),
            case.verdict,
            "{}",
            case.name
        );
    }
}

#[test]
fn etherparse_agrees_with_the_table() {
    for case in cases() {
        let is_redirected = case.verdict == Verdict::Redirect;
        let judged = judge::is_ours(&case.frame, &endpoints());
        assert_eq!(is_redirected, judged, "{}", case.name);
    }
}

#[test]
fn the_table_has_every_verdict_that_classify_knows() {
    let cases = cases();
    for verdict in Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::NoSocket)
    {
        assert!(
            cases.iter().any(|case| case.verdict == verdict),
            "{}",
            verdict.name()
        );
    }
}

#[test]
fn an_unspecified_address_takes_every_address_of_its_family_but_groups() {
    let any = FilterConfig::new(&[parse("0.0.0.0:53"), parse("[::]:53")]).unwrap();
    for case in cases()
        .iter()
        .filter(|case| case.verdict == Verdict::OtherAddress)
    {
        assert_eq!(
            classify(&case.frame[..], &any),
            Verdict::Redirect,
            "{}",
            case.name
        );
    }
    for case in cases()
        .iter()
        .filter(|case| case.verdict == Verdict::GroupAddress)
    {
        assert_eq!(
            classify(&case.frame[..], &any),
            Verdict::GroupAddress,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_filter_without_endpoints_redirects_nothing() {
    for case in cases() {
        let verdict = classify(&case.frame[..], &FilterConfig::EMPTY);
        assert_ne!(verdict, Verdict::Redirect, "{}", case.name);
    }
}

proptest! {
    #![proptest_config(tests::cases(50_000))]

    #[test]
    fn etherparse_agrees_on_what_is_ours(
        frame in strategies::frames(),
        endpoints in strategies::endpoints(),
    ) {
        let config = FilterConfig::new(&endpoints).unwrap();
        let is_redirected = classify(&frame[..], &config) == Verdict::Redirect;
        prop_assert_eq!(is_redirected, judge::is_ours(&frame, &endpoints));
    }

    #[test]
    fn the_worker_reads_what_is_redirected_to_it(
        frame in strategies::frames(),
        endpoints in strategies::endpoints(),
    ) {
        let config = FilterConfig::new(&endpoints).unwrap();
        if classify(&frame[..], &config) == Verdict::Redirect {
            let opened = headers::open(&frame);
            prop_assert!(matches!(opened, Ok(_) | Err(Discard::NoReturn)), "{:?}", opened);
        }
    }

    #[test]
    fn any_bytes_get_a_verdict(frame in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let config = FilterConfig::new(&endpoints()).unwrap();
        let _ = classify(&frame[..], &config);
    }
}

#[test]
fn a_good_part_of_the_random_frames_is_ours() {
    // Without this the properties above could come to hold of frames that all pass.
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let config = FilterConfig::new(&endpoints()).unwrap();
    let mut redirected = 0;
    for _ in 0..1000 {
        let frame = strategies::frames()
            .new_tree(&mut runner)
            .unwrap()
            .current();
        redirected += usize::from(classify(&frame[..], &config) == Verdict::Redirect);
    }
    assert!(redirected > 30, "{redirected} of 1,000");
}

fn parse(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}
