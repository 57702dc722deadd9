//! Cookies: what is done with them, and how old their secret is. Never the secret itself.

use crate::server::resources::Resources;
use serde_json::{Value, json};

impl Resources {
    /// What there is to say of cookies.
    pub(super) fn cookies_json(&self) -> Value {
        let cookies = self.policy.cookies.as_ref();
        let is_drawn = self.config.answers.cookie_secrets.is_empty();
        json!({
            "policy": self.cookie_policy(),
            "algorithm": "SipHash-2-4 (RFC 9018)",
            "origin": if is_drawn { "drawn" } else { "configured" },
            "secrets": cookies.map_or(0, |cookies| 1 + cookies.others.len()),
            "age_seconds": cookies.map(|_| self.cookies_since.elapsed().as_secs()),
            "generation": self.generation,
        })
    }

    /// What is done with cookies, as the option has it.
    pub(super) fn cookie_policy(&self) -> &'static str {
        match &self.policy.cookies {
            None => "off",
            Some(cookies) if cookies.require => "require",
            Some(_) => "answer",
        }
    }
}
