//! What tests may do here.

use nix::unistd::geteuid;

/// Whether the test is run by root, which it needs to be `able` to do something. Prints why not;
/// panics where it was promised (CI=true).
pub fn is_root(able: &str) -> bool {
    let root = geteuid().is_root();
    let promised = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        root || !promised,
        "this test needs root, and CI=true promises it"
    );
    if !root {
        eprintln!("not run: this test needs root, {able}");
    }
    root
}
