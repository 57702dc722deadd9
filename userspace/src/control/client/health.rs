//! What people are shown of health.

use super::table::{Table, items, shown};
use serde_json::Value;

/// One line per address and variant, and below it what its checks say.
pub(super) fn text(result: &Value) -> String {
    let mut table = Table::new(&["TARGET", "STATE", "SECONDS", "WHY"], &[2]);
    for target in items(&result["targets"]) {
        table.row(["target", "state", "seconds", "why"].map(|column| shown(&target[column])));
        for check in items(&target["checks"]) {
            let [name, state, last, in_a_row, ago] =
                ["check", "state", "last", "in_a_row", "last_seconds_ago"]
                    .map(|column| shown(&check[column]));
            table.remark(format!(
                "check {name}: {state}; {last} ({in_a_row} in a row, {ago} s ago)"
            ));
        }
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_line_and_its_checks_have_their_own() {
        let check = serde_json::json!({
            "check": "web", "state": "down", "last": "refused", "in_a_row": 3,
            "last_seconds_ago": 1,
        });
        let target = serde_json::json!({
            "target": "192.0.2.1", "state": "up", "seconds": 9, "why": "marked by ctl",
            "checks": [check],
        });
        let text = text(&serde_json::json!({ "targets": [target] }));
        let expected = "TARGET     STATE  SECONDS  WHY\n\
                        192.0.2.1  up           9  marked by ctl\n  \
                          check web: down; refused (3 in a row, 1 s ago)\n";
        assert_eq!(text, expected);
    }
}
