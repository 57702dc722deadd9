//! What people are shown of databases, maps, and where an address is.

use super::table::{Table, items, shown};
use serde_json::Value;

/// A table of databases, one of maps, and what is the matter with them.
pub(super) fn text(result: &Value) -> String {
    let columns = ["TYPE", "BUILT", "IP", "NETWORKS", "RECORDS", "DATABASE"];
    let mut databases = Table::new(&columns, &[2, 3, 4]);
    for database in items(&result["databases"]) {
        let columns = ["type", "built", "ip_version", "networks", "records", "file"];
        databases.row(columns.map(|column| shown(&database[column])));
    }
    let columns = ["MAP", "NETWORKS", "BYTES", "ZONES", "REGIONS"];
    let mut maps = Table::new(&columns, &[1, 2, 3]);
    for map in items(&result["maps"]) {
        let regions: Vec<String> = items(&map["regions"]).iter().map(shown).collect();
        let columns = ["map", "networks", "memory_bytes", "zones"];
        let columns = columns.map(|column| shown(&map[column]));
        maps.row(columns.into_iter().chain([regions.join(" ")]));
    }
    let mut text = format!("{}\n{}", databases.text(), maps.text());
    if result["waiting"] == true {
        text += "newer maps wait for zones that can do with them\n";
    } else if result["refused"] == true {
        text += "what was read last is not in force: the log says why\n";
    }
    text
}

/// What the server has written for people.
pub(super) fn lookup(result: &Value) -> String {
    shown(&result["text"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn databases_and_maps_have_a_table_each() {
        let database = json!({
            "file": "/a.mmdb", "type": "Test-City", "built": "1970-01-01T00:00:00Z",
            "ip_version": 6, "networks": 10, "records": 3,
        });
        let map = json!({
            "map": "site", "regions": ["eu", "us"], "networks": 12, "memory_bytes": 4096,
            "zones": 1,
        });
        let result = json!({
            "databases": [database], "maps": [map], "waiting": false, "refused": true,
        });
        let expected = "TYPE       BUILT                 IP  NETWORKS  RECORDS  DATABASE\n\
                        Test-City  1970-01-01T00:00:00Z   6        10        3  /a.mmdb\n\
                        \n\
                        MAP   NETWORKS  BYTES  ZONES  REGIONS\n\
                        site        12   4096      1  eu us\n\
                        what was read last is not in force: the log says why\n";
        assert_eq!(text(&result), expected);
    }
}
