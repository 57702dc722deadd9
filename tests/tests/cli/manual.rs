//! What the command line says of itself: completions for shells, and man pages.

use std::fs;
use std::process::{Command, Stdio};
use tests::folder::Folder;
use tests::server::Launch;

#[test]
fn the_script_for_bash_is_one_and_completes_commands() {
    let ended = Launch::new(&["completions", "bash"]).finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let folder = Folder::new();
    let script = folder.write("ripples.bash", &ended.stdout);
    let checked = Command::new("bash").arg("-n").arg(&script).output();
    let checked = checked.expect("bash");
    assert!(checked.status.success(), "{checked:?}");
    // As bash does it: the words of the line, and where in it the cursor is.
    let complete = "source \"$1\"; COMP_WORDS=(ripples ctl log); COMP_CWORD=2; \
                    _ripples ripples log ctl; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash")
        .args(["-c", complete, "bash"])
        .arg(&script)
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&completed.stdout);
    assert_eq!(said.trim(), "log-level", "{completed:?}");
}

#[test]
fn every_shell_gets_a_script_and_an_unknown_one_a_word_about_it() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Launch::new(&["completions", shell]).finish();
        assert_eq!(ended.code, Some(0), "{shell}: {}", ended.stderr);
        assert!(ended.stdout.contains("zones-dir"), "{shell}");
    }
    let ended = Launch::new(&["completions", "csh"]).finish();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("possible values"), "{}", ended.stderr);
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let folder = Folder::new();
    let pages = folder.path().join("man/man1");
    let ended = Launch::new(&["man", &pages.to_string_lossy()]).finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for (page, words) in [
        ("ripples", &["ripples-run(1)", "ripples-ctl(1)"][..]),
        ("ripples-run", &["--zones-dir", "--control-group"]),
        ("ripples-ctl-zone-show", &["--dnssec", "NAME"]),
        ("ripples-ctl-cookies-rotate", &["secret"]),
        ("ripples-geo-lookup", &["ADDR"]),
    ] {
        let path = pages.join(format!("{page}.1"));
        let text = rendered(&path);
        assert!(text.contains("NAME"), "{page}: {text}");
        for word in words {
            assert!(text.contains(word), "{page}: {word}: {text}");
        }
    }
    let ended = Launch::new(&["man"]).finish();
    let own = fs::read_to_string(pages.join("ripples.1")).unwrap();
    assert_eq!((ended.code, ended.stdout), (Some(0), own));
}

#[test]
fn where_pages_cannot_be_written_it_says_so() {
    let ended = Launch::new(&["man", "/proc/nowhere"]).finish();
    assert_eq!(ended.code, Some(1));
    let expected = "ripples: man pages: /proc/nowhere: ";
    assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
}

/// A page as man(1) shows it; without man(1), its source without what escapes.
fn rendered(path: &std::path::Path) -> String {
    let shown = Command::new("man")
        .args(["--warnings", "-l"])
        .arg(path)
        .env("MANWIDTH", "200")
        .stdin(Stdio::null())
        .output();
    match shown {
        Ok(shown) if shown.status.success() && !shown.stdout.is_empty() => {
            assert!(shown.stderr.is_empty(), "{shown:?}");
            String::from_utf8_lossy(&shown.stdout).into_owned()
        }
        _ => fs::read_to_string(path).expect("a page").replace('\\', ""),
    }
}
