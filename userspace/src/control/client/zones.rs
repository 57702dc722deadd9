//! What people are shown of zones.

use super::table::{Table, items, shown};
use serde_json::Value;

/// One line per zone, and below it what is wrong.
pub(super) fn text(result: &Value) -> String {
    let mut table = Table::new(&["ZONE", "SERIAL", "RECORDS", "STATE", "FILE"], &[1, 2]);
    for zone in items(&result["zones"]) {
        let columns = ["origin", "serial", "records", "state", "file"];
        table.row(columns.map(|column| shown(&zone[column])));
        for problem in items(&zone["problems"]) {
            table.remark(shown(problem));
        }
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_a_line_and_its_problems_have_their_own() {
        let good = serde_json::json!({
            "origin": "a.", "serial": 7, "records": 3, "state": "served", "file": "a.zone",
            "problems": [],
        });
        let bad = serde_json::json!({
            "origin": "long.", "serial": null, "state": "not served", "file": "l",
            "problems": ["l:1:1: no"],
        });
        let text = text(&serde_json::json!({ "zones": [good, bad] }));
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["ZONE", "SERIAL", "RECORDS", "STATE", "FILE"]);
        assert_eq!(lines[1], ["a.", "7", "3", "served", "a.zone"]);
        assert_eq!(lines[2], ["long.", "-", "-", "not", "served", "l"]);
        assert_eq!(lines[3], ["l:1:1:", "no"]);
    }
}
