//! What to type in another terminal.

use super::network::{AMERICAN_IPV4, AMERICAN_IPV6, Network, SERVER_IPV4, SERVER_IPV6};
use super::place::Place;
use super::{Plan, example};
use crate::output;
use crate::shell;

/// Questions that show what the server does: why to ask, and what. Words in quotation marks are in
/// the answer.
const QUESTIONS: &[(&str, &str)] = &[
    ("addresses", "@4 www.example.com A"),
    ("over IPv6", "@6 www.example.com AAAA"),
    (
        "a chain of CNAMEs, into another zone",
        "@4 shop.example.com",
    ),
    ("a wildcard", "@4 anything.wild.example.com"),
    ("a referral with glue", "@4 host.sub.example.com"),
    ("a service and its parameters", "@4 example.com HTTPS"),
    (
        "too large for UDP: truncated, then TCP",
        "@4 big.example.com TXT",
    ),
    ("TCP from the start", "@4 +tcp example.com MX"),
    ("no such name", "@4 nowhere.example.com"),
    ("a reverse lookup", "@4 -x 10.53.0.1"),
    (
        "by its address: \"you are in Europe\"",
        "@4 geo.example.com TXT",
    ),
    (
        "from another: \"you are in America\"",
        "@4 -b 4+ geo.example.com TXT",
    ),
    (
        "over IPv6: \"you are in America\"",
        "@6 -b 6+ geo.example.com TXT",
    ),
    (
        "for a resolver's client: \"you are in Asia\"",
        "@4 +subnet=203.0.113.0/24 geo.example.com TXT",
    ),
    (
        "the same over IPv6: \"you are in Europe\"",
        "@6 +subnet=2001:db8::/56 geo.example.com TXT",
    ),
];

/// Prints how to ask the server, its statistics, and how to end.
pub(super) fn show(plan: &Plan<'_>, network: &Network, place: &Place) {
    output::step("Ready", "from another terminal:");
    let client = ["kdig", "dig"]
        .into_iter()
        .find(|name| shell::find_program(name).is_some());
    if client.is_none() {
        output::note("kdig comes with the package knot-dnsutils, dig with bind9-dnsutils");
    }
    let namespace = plan.name.client();
    let prefix = format!("{}ip netns exec {namespace}", sudo());
    for (why, question) in QUESTIONS {
        if question.starts_with("@6") && !network.has_ipv6 {
            continue;
        }
        let question = question
            .replace("@4", &format!("@{SERVER_IPV4}"))
            .replace("@6", &format!("@{SERVER_IPV6}"))
            .replace("4+", AMERICAN_IPV4)
            .replace("6+", AMERICAN_IPV6);
        say(
            &format!("{prefix} {} {question}", client.unwrap_or("kdig")),
            why,
        );
    }
    let server = plan.server.display();
    let configuration = example::configuration();
    let lookup = format!("{server} geo lookup --config {} ", configuration.display());
    say(
        &format!("{lookup}{AMERICAN_IPV4} geo.example.com"),
        "why: \"region america of map world\"",
    );
    let queries = example::queries();
    let load = format!("dnsperf -s {SERVER_IPV4} -l 10 -d {}", queries.display());
    say(&format!("{prefix} {load}"), "load");
    let socket = place.control_socket();
    let stats = format!(
        "{}{server} ctl --control {} stats",
        sudo(),
        socket.display()
    );
    say(&stats, "all counters");
    eprintln!();
    output::step(
        "Watching",
        "Ctrl-C ends the server and removes the namespaces",
    );
}

/// One command and what it shows.
fn say(command: &str, why: &str) {
    eprintln!("  {command:<72}  # {why}");
}

/// What the other terminal needs in front, if this one has it.
fn sudo() -> &'static str {
    if std::env::var_os("SUDO_USER").is_some() {
        "sudo "
    } else {
        ""
    }
}
