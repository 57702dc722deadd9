//! What the rules for Rust files find, and what they leave alone.

use super::*;

fn found(path: &str, text: &str) -> Vec<(usize, String)> {
    Findings::of(path, text, check)
}

fn count_code_lines(text: &str) -> usize {
    let mut outline = Outline::default();
    outline.visit_file(&syn::parse_file(text).unwrap());
    let mut tokens = Vec::new();
    flatten(text.parse().unwrap(), &mut tokens);
    code_lines(&outline, &tokens)
}

/// A function of exactly so many lines.
fn function(lines: usize) -> String {
    format!("fn long() {{\n{}}}\n", "    // why\n".repeat(lines - 2))
}

#[test]
fn comments_and_blank_lines_are_no_code() {
    let text = "//! Doc.\n\n// why\n/* and\n   why */\n/// Doc\n/// of two lines.\n\
                fn a() {\n    let b = \"// no\n comment\"; // but this\n}\n";
    assert_eq!(count_code_lines(text), 4);
}

#[test]
fn inner_test_modules_are_not_counted() {
    let text = "//! Doc.\nfn a() {}\n\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n\
                fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod more;\n";
    assert_eq!(count_code_lines(text), 2);
}

#[test]
fn other_conditional_modules_are_counted() {
    assert_eq!(
        count_code_lines("#[cfg(target_os = \"linux\")]\nmod a {}\n"),
        2
    );
}

#[test]
fn a_file_may_have_three_hundred_lines_of_code() {
    let fits = format!("//! Doc.\n{}", "const _: () = ();\n".repeat(300));
    assert!(found("common/src/a.rs", &fits).is_empty());
    let long = fits.clone() + "const _: () = ();\n";
    let expected = [(1, "301 lines of code; at most 300".to_owned())];
    assert_eq!(found("common/src/a.rs", &long), expected);
    assert!(found("tests/tests/a.rs", &long).is_empty());
    assert!(found("common/src/a/tests.rs", &long).is_empty());
}

#[test]
fn a_function_may_have_seventy_lines() {
    let at = |count| format!("//! Doc.\n{}", function(count));
    assert!(found("common/src/a.rs", &at(70)).is_empty());
    let expected = [(2, "fn long has 71 lines; at most 70".to_owned())];
    assert_eq!(found("common/src/a.rs", &at(71)), expected);
}

#[test]
fn methods_default_methods_and_test_functions_are_functions() {
    for around in [
        "impl A {",
        "trait A {",
        "#[cfg(test)] mod tests {",
        "fn outer() { mod a {",
    ] {
        let close = "}".repeat(around.matches('{').count());
        let text = format!("//! Doc.\n{around}\n{}{close}\n", function(71));
        let names: Vec<_> = found("common/src/a.rs", &text)
            .into_iter()
            .map(|f| f.1)
            .collect();
        assert!(
            names.contains(&"fn long has 71 lines; at most 70".to_owned()),
            "{around}"
        );
    }
}

#[test]
fn a_file_begins_with_its_purpose() {
    let found = found("common/src/a.rs", "fn a() {}\n");
    assert_eq!(found[0].0, 1);
    assert!(found[0].1.contains("`//!`"));
}

#[test]
fn code_that_does_not_parse_is_named_with_its_line() {
    assert_eq!(found("common/src/a.rs", "//! Doc.\n\nfn {}\n")[0].0, 3);
}

#[test]
fn unsafe_is_code_and_not_a_word() {
    let words = "//! unsafe\n// unsafe\n#![expect(unsafe_code, reason = \"unsafe\")]\n";
    assert!(found("common/src/a.rs", words).is_empty());
    let block = "//! Doc.\nfn a() {\n    unsafe { b() }\n}\n";
    assert_eq!(found("common/src/a.rs", block)[0].0, 3);
    assert!(found("userspace/src/port/xsk.rs", block).is_empty());
    assert!(found("userspace/src/port/xsk/umem.rs", block).is_empty());
    let within_macro = "//! Doc.\nmacro_rules! a {\n    () => { unsafe { b() } };\n}\n";
    assert_eq!(found("common/src/a.rs", within_macro)[0].0, 3);
}

#[test]
fn a_dependency_is_named_only_in_its_place() {
    for naming in [
        "use etherparse::Ethernet2Header;",
        "use ::etherparse::Ethernet2Header;",
        "use {std::io, etherparse::Ethernet2Header};",
        "use etherparse as packets;",
        "extern crate etherparse;",
        "fn a(b: etherparse::Ethernet2Header) {}",
        "macro_rules! a { () => { ::etherparse::b() }; }",
    ] {
        let text = format!("//! Doc.\n{naming}\n");
        let found_elsewhere = found("userspace/src/zone/mod.rs", &text);
        assert_eq!(found_elsewhere.len(), 1, "{naming}");
        assert_eq!(found_elsewhere[0].0, 2, "{naming}");
        assert!(
            found("userspace/src/packet/headers.rs", &text).is_empty(),
            "{naming}"
        );
    }
}

#[test]
fn a_module_with_a_dependency_s_name_is_no_dependency() {
    for other in [
        "use crate::domain::Name;",
        "use super::domain;",
        "fn a(domain: u8) -> u8 { domain }",
        "// domain::Name",
        "const A: &str = \"domain::Name\";",
    ] {
        let text = format!("//! Doc.\n{other}\n");
        assert!(
            found("userspace/src/answer.rs", &text).is_empty(),
            "{other}"
        );
    }
}
