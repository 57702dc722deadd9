//! The scripts of `tests/fixtures`, each a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tests::script::Script;

/// A test for each script.
macro_rules! scripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let path = fixtures().join(concat!(stringify!($name), ".rpl"));
                let failures = Script::read(&path).run();
                assert!(failures.is_empty(), "\n{}", failures.join("\n"));
            }
        )*

        #[test]
        fn every_script_is_run() {
            let files = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
            let scripts = files.filter(|path| path.extension().is_some_and(|end| end == "rpl"));
            let names = scripts.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
            let run = [$(stringify!($name)),*].map(str::to_owned);
            assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(run));
        }
    };
}

scripts! {
    aliases
    delegations
    dname
    exact_names
    nested
    requests
    truncation
    wildcards
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}
