//! What dnsperf says at its end.

use super::{Said, number};

/// Reads its summary.
pub fn parse(text: &str) -> Option<Said> {
    let answered = number(text, "Queries completed:")?;
    let codes = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("Response codes:"));
    let rcode = |name: &str| {
        let mut parts = codes?
            .split(", ")
            .filter_map(|part| part.trim().split_once(' '));
        let (_, rest) = parts.find(|part| part.0 == name)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    let rcodes = ["NOERROR", "NXDOMAIN"].map(|name| rcode(name).unwrap_or(0));
    let (seconds, sent) = (
        number(text, "Run time (s):")?,
        number(text, "Queries sent:")?,
    );
    Some(Said::new(seconds, sent, answered, rcodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let text = "Statistics:\n\n  Queries sent:         110877\n\
            \x20 Queries completed:    110870 (100.00%)\n  Queries lost:         7 (0.00%)\n\n\
            \x20 Response codes:       NOERROR 55439 (50.00%), NXDOMAIN 55430 (50.00%)\n\
            \x20 Average packet size:  request 29, response 57\n\
            \x20 Run time (s):         1.000209\n";
        let said = Said {
            seconds: 1.000_209,
            sent: 110_877,
            answered: 110_870,
            noerror: 55_439,
            nxdomain: 55_430,
            other: 1,
        };
        assert_eq!(parse(text), Some(said));
        assert_eq!(parse("Error: unable to open input file\n"), None);
    }
}
