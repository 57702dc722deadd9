//! A file that several threads read is the zone that one reads, with the same problems.

use super::*;
use crate::zone::master::read;
use std::fmt::Write as _;

/// A text of many entries, some of them not what they look like when one begins in their middle.
fn text(seed: u32) -> String {
    let mut text = format!("$TTL 300\n{HEAD}");
    let mut state = seed;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for index in 0..300 {
        let owner = random(40);
        let _ = match random(24) {
            0 => writeln!(
                text,
                "h{owner} A 192.0.2.1\n  A 192.0.2.2\n  TXT \"a;b\" ; (c"
            ),
            1 => writeln!(text, "h{owner} TXT (\nh1\nA\n192.0.2.1 ; )\n)"),
            2 => writeln!(text, "h{owner} TXT \"(\"\nh{owner} TXT \")\""),
            3 => writeln!(text, "H{owner} 600 A 192.0.2.{owner}\nh{owner} A 192.0.2.3"),
            4 if seed % 4 == 1 => writeln!(text, "$ORIGIN sub{owner}.example."),
            4 if seed % 4 == 2 => writeln!(text, "$TTL {}", 100 + owner),
            4 if seed % 4 == 3 => writeln!(text, "$GENERATE 1-3 g$ A 10.0.0.$"),
            5 if seed % 8 == 7 => writeln!(text, "h{owner} A 192.0.2.999\nx ( A"),
            6 if seed % 16 != 6 => writeln!(text, "elsewhere. A 192.0.2.1\n\n; nothing"),
            7 => writeln!(text, "h{owner} 60 A 192.0.2.7\nh{owner} 60 A 192.0.2.7"),
            8 if seed % 8 == 5 => writeln!(text, "$INCLUDE missing"),
            8 if seed % 8 == 6 => writeln!(text, "$VARIANT r{}", owner % 3),
            9 if seed % 8 == 6 => writeln!(text, "$VARIANT"),
            _ => writeln!(text, "h{owner} A 192.0.2.{}", index % 256),
        };
    }
    text
}

#[test]
fn as_many_threads_as_one_likes_read_the_same() {
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    let (mut helped, mut varied) = (0, 0);
    for seed in 0..200 {
        let text = text(seed);
        let read = |threads, window_len| {
            let input = text.as_bytes();
            let effort = effort(threads);
            let outcome = read(input, input.len(), window_len, "zone", &origin, effort);
            shown(outcome).map(|(records, warnings)| {
                let lines = records.owners_with_lines();
                let lines: Vec<_> = lines.flat_map(|(_, lines)| lines.to_vec()).collect();
                let variants = records.variants().map(|blocks| format!("{blocks:?}"));
                (lines_of(&records), lines, warnings, variants)
            })
        };
        let expected = read(1, 100_000);
        for window_len in [16, 50, 200, 500] {
            for threads in [2, 3, 5] {
                let got = read(threads, window_len);
                let case = format!("{threads} threads, windows of {window_len}, seed {seed}");
                assert_eq!(got.is_ok(), expected.is_ok(), "{case}");
                if let (Ok(got), Ok(expected)) = (&got, &expected) {
                    assert_eq!(got.0, expected.0, "{case}");
                    assert_eq!(got.2, expected.2, "{case}");
                    assert_eq!(got.3, expected.3, "{case}");
                    varied += usize::from(got.3.is_some());
                    let places = |lines: &[u32]| lines.to_vec();
                    assert_eq!(places(&got.1), places(&expected.1), "{case}");
                    helped += 1;
                } else {
                    assert_eq!(got.map(drop), expected.clone().map(drop), "{case}");
                }
            }
        }
    }
    assert!(helped > 1000 && varied > 20, "{helped}, {varied}");
}
