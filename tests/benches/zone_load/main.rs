//! How fast zones come from text to being served, and in how much memory.
//!
//! `cargo bench -p tests --bench zone_load [-- PART-OF-A-CASE'S-NAME]` prints one JSON object a
//! line: each run is a process of its own, the median of the runs counts. With `-- reader` the
//! reader alone is held against that of `domain`.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod cases;
mod reader;
mod run;

use cases::{CASES, Case};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use tests::folder::Folder;

/// How often each case runs.
const RUNS: usize = 5;
/// Threads that load.
const THREADS: [usize; 2] = [1, 2];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [run::COMMAND, list, threads] => {
            run::measure(Path::new(list), threads.parse().expect("a number"));
        }
        ["reader"] => reader::compare_all(),
        [] => measure(""),
        [part] => measure(part),
        _ => panic!("usage: zone_load [reader | PART-OF-A-CASE'S-NAME]"),
    }
}

/// Measures the cases with `part` in their name.
fn measure(part: &str) {
    for case in CASES.iter().filter(|case| case.name.contains(part)) {
        let folder = Folder::new();
        let Some(list) = case.write(&folder) else {
            eprintln!("{}: not there, see RIPPLES_SHARED", case.name);
            continue;
        };
        for threads in THREADS {
            println!("{}", line(case, threads, &list));
        }
    }
}

/// The medians over the runs of all that a run measures, and how far the time spread.
fn line(case: &Case, threads: usize, list: &Path) -> Value {
    let runs: Vec<Map<String, Value>> = (0..RUNS).map(|_| child(list, threads)).collect();
    let sorted = |key: &str| {
        let mut values: Vec<f64> = runs.iter().filter_map(|run| run[key].as_f64()).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let mut line = Map::new();
    line.insert("case".to_owned(), json!(case.name));
    line.insert("threads".to_owned(), json!(threads));
    for key in runs[0].keys() {
        line.insert(key.clone(), json!(sorted(key)[RUNS / 2]));
    }
    let walls = sorted("wall_s");
    line.insert(
        "wall_s_spread".to_owned(),
        json!([walls[0], walls[RUNS - 1]]),
    );
    Value::Object(line)
}

/// One run, in a process that has done nothing before.
fn child(list: &Path, threads: usize) -> Map<String, Value> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .arg(run::COMMAND)
        .arg(list)
        .arg(threads.to_string())
        .output()
        .expect("a run");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}
