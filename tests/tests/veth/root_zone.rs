//! The root zone as it was published once, from the shared data beside the repository.

use crate::stage::{Stage, launch};
use std::path::PathBuf;
use tests::client::query;
use tests::decoded::Decoded;
use tests::netns::{Veth, privileged};
use tests::record::rtype;

#[test]
fn the_root_zone_refers_to_com_with_glue_over_af_xdp() {
    let Some(file) = root_zone() else { return };
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let zone = format!(".={}", file.display());
    let server = launch(&veth.server, &["--io", "xdp", "--zone", &zone]).start();
    let stage = Stage { server, veth };
    for address in stage.addresses() {
        let reply = stage.ask(address, &query("www.example.com", rtype::A));
        let reply = Decoded::read(&reply).unwrap();
        assert_eq!((reply.rcode, reply.aa, reply.answer().len()), (0, false, 0));
        assert_eq!(reply.authority().len(), 13);
        let owner = |rr: &tests::decoded::Rr| (rr.owner.to_string(), rr.rtype);
        assert!(
            reply
                .authority()
                .iter()
                .all(|rr| owner(rr) == ("com.".to_owned(), rtype::NS))
        );
        assert!(!reply.additional().is_empty(), "glue");
        let glue = reply.additional().iter().map(owner);
        assert!(
            glue.clone()
                .all(|(name, _)| name.ends_with(".gtld-servers.net."))
        );
    }
    stage.await_answers(2, 0);
    stage.server.stop();
}

/// Where the zone is; none where it is not and need not be.
fn root_zone() -> Option<PathBuf> {
    let shared = std::env::var_os("RIPPLES_SHARED").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let file = shared.unwrap_or_else(beside).join("data/root.zone");
    let promised = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        file.exists() || !promised,
        "CI=true promises {}",
        file.display()
    );
    if !file.exists() {
        eprintln!("not run: there is no {}", file.display());
        return None;
    }
    Some(file)
}
