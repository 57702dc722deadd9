//! Archives in the form that the kernel unpacks at its start: newc
//! (<https://docs.kernel.org/driver-api/early-userspace/buffer-format.html>).

use std::collections::BTreeSet;
use std::path::{Component, Path};

/// Kinds of entries, with the rights of each (inode(7)).
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
/// The name of the entry behind all others.
const TRAILER: &str = "TRAILER!!!";

/// An archive under construction; all in it belongs to root.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    /// Folders that are there already.
    folders: BTreeSet<String>,
    entries: u32,
}

impl Archive {
    /// Adds a folder, and those that it is in.
    pub(super) fn folder(&mut self, path: &str) {
        let mut so_far = String::new();
        for component in Path::new(path).components() {
            let Component::Normal(name) = component else {
                continue;
            };
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far += &name.to_string_lossy();
            if self.folders.insert(so_far.clone()) {
                self.entry(&so_far, FOLDER, &[]);
            }
        }
    }

    /// Adds a file that can be run.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) {
        self.add(path, PROGRAM, content);
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.add(path, LINK, target.as_bytes());
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry(TRAILER, 0, &[]);
        self.bytes
    }

    /// Adds an entry and the folders that it is in; a leading slash counts for nothing.
    fn add(&mut self, path: &str, mode: u32, content: &[u8]) {
        let path = path.trim_start_matches('/');
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
        self.entry(path, mode, content);
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        self.entries += 1;
        // Inode, mode, user, group, links, time, size, four device numbers, the name's size with
        // its zero, and a sum that newc leaves out.
        let (inode, len, name_len) = (self.entries, size(content.len()), size(path.len() + 1));
        let fields = [inode, mode, 0, 0, 1, 0, len, 0, 0, 0, 0, name_len, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(path.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// Header and content begin at multiples of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn an_entry_is_as_the_kernels_document_has_it() {
        let mut archive = Archive::default();
        archive.file("/init", b"hello");
        let bytes = archive.finish();
        let expected = "070701\
            00000001000081ED0000000000000000000000010000000000000005\
            00000000000000000000000000000000\
            0000000500000000init\0";
        let expected = expected.as_bytes();
        assert_eq!(&bytes[..expected.len()], expected);
        // 110 bytes of header and 5 of name are padded, and so is the content.
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
        assert_eq!(&bytes[124..130], b"070701");
        assert_eq!(bytes.len() % 4, 0);
        assert!(bytes.ends_with(b"TRAILER!!!\0\0\0\0"));
    }

    #[test]
    fn another_reader_finds_folders_once_and_in_front_of_what_is_in_them() {
        let mut archive = Archive::default();
        archive.file("/usr/lib/a.so", b"a");
        archive.link("/usr/lib/b.so", "a.so");
        archive.folder("/usr/lib");
        let Ok(mut cpio) = Command::new("cpio")
            .args(["--list", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            // Not everybody has it.
            return;
        };
        cpio.stdin
            .take()
            .unwrap()
            .write_all(&archive.finish())
            .unwrap();
        let listed = cpio.wait_with_output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(listed, "usr\nusr/lib\nusr/lib/a.so\nusr/lib/b.so\n");
    }
}
