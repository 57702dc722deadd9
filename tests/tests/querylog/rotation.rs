//! Files that follow each other: each can be read by itself, whatever the format.

use crate::stage::{files, lines, output, start};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::client::{ask, query};
use tests::folder::Folder;
use tests::record::rtype;

/// Queries that are asked.
const QUERIES: u64 = 12;
/// The control frame that begins a stream and names its content, and the one that ends it
/// (<https://farsightsec.github.io/fstrm/>).
const START: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 34, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 22];
const STOP: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3];
/// The first bytes of a capture with times in nanoseconds.
const CAPTURE: &[u8] = &0xa1b2_3c4d_u32.to_le_bytes();

#[test]
fn each_file_is_whole_by_itself_whatever_its_format_and_compressed_or_not() {
    let folder = Folder::new();
    let place = folder.path().display();
    let logs: Vec<(String, &str, bool)> = ["json", "dnstap", "pcap"]
        .into_iter()
        .flat_map(|format| {
            [false, true].map(|packed| (format!("{format}-{packed}-"), format, packed))
        })
        .collect();
    let sections = logs.iter().map(|(name, format, packed)| {
        format!(
            "[[query_log]]\nfolder = \"{place}\"\nname = \"{name}\"\nformat = \"{format}\"\n\
             compress = {packed}\nrotate_size = 600\n"
        )
    });
    let (server, address) = start(&sections.collect::<String>());
    for count in 1..=QUERIES {
        ask(address, &query("www.example", rtype::A));
        // One by one, so that each is looked at.
        let wanted = count * logs.len() as u64;
        server.await_stats(|stats| stats.query_log("written") == wanted);
    }
    // The last ones end with the server.
    server.stop();
    let plain = Folder::new();
    for (name, format, packed) in &logs {
        let own: Vec<PathBuf> = files(folder.path())
            .into_iter()
            .filter(|file| {
                let own = file.file_name().expect("a file").to_string_lossy();
                own.starts_with(name.as_str()) && own.ends_with(".zst") == *packed
            })
            .collect();
        assert!(own.len() >= 3, "{name}: {own:?}");
        let entries = own.iter().map(|file| {
            let file = match packed {
                true => unpacked(file, &plain),
                false => file.clone(),
            };
            entries(&file, format)
        });
        assert_eq!(entries.sum::<u64>(), QUERIES, "{name}");
    }
}

/// The file as it was before it was compressed.
fn unpacked(file: &Path, folder: &Folder) -> PathBuf {
    let name = file.file_stem().expect("a name");
    let plain = folder.path().join(name);
    output(
        Command::new("zstd")
            .arg("-dq")
            .arg(file)
            .arg("-o")
            .arg(&plain),
    );
    plain
}

/// How many queries a whole file tells of.
fn entries(file: &Path, format: &str) -> u64 {
    let bytes = fs::read(file).expect("it is there");
    let (entries, begin, end): (usize, &[u8], &[u8]) = match format {
        "json" => (lines(&String::from_utf8_lossy(&bytes)).len(), b"{", b"}\n"),
        "dnstap" => {
            let text = output(Command::new("dnstap-read").arg(file));
            (text.lines().count() / 2, START, STOP)
        }
        _ => {
            let text = output(Command::new("tcpdump").args(["-nn", "-r"]).arg(file));
            (text.lines().count() / 2, CAPTURE, b"")
        }
    };
    assert!(bytes.starts_with(begin), "{file:?}: {bytes:02x?}");
    assert!(bytes.ends_with(end), "{file:?}: {bytes:02x?}");
    assert!(entries > 0, "{file:?} is empty");
    entries as u64
}
