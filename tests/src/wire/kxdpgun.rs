//! What kxdpgun says at its end.

use super::{Said, number};

/// Reads its summary. The duration in it is in whole seconds, so the one asked for is taken.
pub fn parse(text: &str, seconds: f64) -> Option<Said> {
    let sent = number(text, "total queries:")?;
    let answered = number(text, "total replies:")?;
    let rcode = |name| number(text, &format!("responded {name}:")).unwrap_or_default();
    let rcodes = ["NOERROR", "NXDOMAIN"].map(rcode);
    Some(Said::new(seconds, sent, answered, rcodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let text = "using interface wc0, XDP threads 1, UDP, native mode\n\
            thread#00: sent 70048, received 70040\n\
            total queries:     70048 (50034 pps)\n\
            total replies:     70040 (50034 pps) (100%)\n\
            average DNS reply size: 57 B\n\
            responded NOERROR:   35024\n\
            responded NXDOMAIN:  35014\n\
            duration: 1 s\n";
        let said = Said {
            seconds: 1.4,
            sent: 70_048,
            answered: 70_040,
            noerror: 35_024,
            nxdomain: 35_014,
            other: 2,
        };
        assert_eq!(parse(text, 1.4), Some(said));
        assert!((said.loss() - 8.0 / 70_048.0).abs() < 1e-9);
        assert_eq!(parse("failed to initialize XDP\n", 1.0), None);
    }
}
