//! Who may ask what: the socket's permissions say who can ask at all, credentials who may change
//! things.

use super::{Code, Command, Refusal};
use crate::config::{Admin, ControlOptions};
use crate::sys::peer::Peer;
use crate::sys::user;
use std::time::{Duration, Instant};

/// Refusals are told as a warning once in so long, and counted in between.
const WARNED_EVERY: Duration = Duration::from_secs(10);

/// Who may ask what.
#[derive(Debug)]
pub(super) struct Access {
    options: ControlOptions,
    own_uid: u32,
    warned: Option<Instant>,
    /// Refusals since then.
    silent: u64,
}

impl Access {
    /// As the options say, beside root and this process's user.
    pub(super) fn new(options: &ControlOptions) -> Self {
        Self {
            options: options.clone(),
            own_uid: user::own_uid(),
            warned: None,
            silent: 0,
        }
    }

    /// Says that this peer may ask this, or why not; refusals are in the log.
    pub(super) fn admit(
        &mut self,
        peer: &Peer,
        command: &Command,
        now: Instant,
    ) -> Result<(), Refusal> {
        if self.may_change(peer) || !command.changes() && self.may_look() {
            return Ok(());
        }
        let may = match self.may_look() {
            true => "may only look",
            false => "may not ask this server anything",
        };
        let (uid, command) = (peer.uid, command.word());
        let reason = format!(
            "uid {uid} {may}: `{command}` is for root, the server's own user, and control.admins"
        );
        self.log(peer, &command, now);
        Err(Refusal::new(Code::NotPermitted, reason))
    }

    fn may_change(&self, peer: &Peer) -> bool {
        let is_named = |admin: &Admin| match *admin {
            Admin::User(uid) => uid == peer.uid,
            Admin::Group(gid) => peer.groups.contains(&gid),
        };
        peer.uid == 0 || peer.uid == self.own_uid || self.options.admins.iter().any(is_named)
    }

    /// Whether those may look that the kernel lets in. Where the mode lets in nobody else, whoever
    /// is here came before it was set.
    fn may_look(&self) -> bool {
        self.options.mode & 0o066 != 0
    }

    fn log(&mut self, peer: &Peer, command: &str, now: Instant) {
        let (uid, pid) = (peer.uid, peer.pid);
        tracing::debug!(uid, pid, command, "control: refused");
        let is_due = |warned: Instant| now.saturating_duration_since(warned) >= WARNED_EVERY;
        if !self.warned.is_none_or(is_due) {
            self.silent += 1;
            return;
        }
        let further = self.silent;
        tracing::warn!(uid, pid, command, further, "control: not permitted");
        (self.warned, self.silent) = (Some(now), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32, groups: &[u32]) -> Peer {
        Peer {
            pid: 1,
            uid,
            groups: groups.to_vec(),
        }
    }

    /// Whether a peer may look, and whether it may change things.
    fn rights(options: &ControlOptions, peer: &Peer) -> (bool, bool) {
        let mut access = Access::new(options);
        let mut may = |command| access.admit(peer, &command, Instant::now()).is_ok();
        (may(Command::Status), may(Command::Stop))
    }

    #[test]
    fn root_and_the_servers_own_user_may_do_all() {
        let options = ControlOptions::default();
        assert_eq!(rights(&options, &peer(0, &[])), (true, true));
        let own = peer(user::own_uid(), &[]);
        assert_eq!(rights(&options, &own), (true, true));
        assert_eq!(rights(&options, &peer(7, &[0])), (false, false));
    }

    #[test]
    fn who_gets_in_by_the_mode_may_look_and_who_is_named_may_change_things() {
        let options = ControlOptions {
            mode: 0o660,
            group: Some(50),
            admins: vec![Admin::User(8), Admin::Group(60)],
        };
        assert_eq!(rights(&options, &peer(7, &[50])), (true, false));
        assert_eq!(rights(&options, &peer(8, &[50])), (true, true));
        assert_eq!(rights(&options, &peer(7, &[50, 60])), (true, true));
    }

    #[test]
    fn a_refusal_says_who_was_refused_and_what() {
        let mut access = Access::new(&ControlOptions {
            mode: 0o666,
            ..ControlOptions::default()
        });
        let refused = access.admit(&peer(4711, &[]), &Command::Stop, Instant::now());
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.code, Code::NotPermitted);
        let expected = "uid 4711 may only look: `stop` is for root";
        assert!(refusal.reason.starts_with(expected), "{}", refusal.reason);
    }

    #[test]
    fn refusals_are_counted_between_warnings() {
        let mut access = Access::new(&ControlOptions::default());
        let start = Instant::now();
        for second in [0, 1, 9] {
            let now = start + Duration::from_secs(second);
            assert!(access.admit(&peer(7, &[]), &Command::Stop, now).is_err());
        }
        assert_eq!(access.silent, 2);
        let later = start + WARNED_EVERY;
        assert!(access.admit(&peer(7, &[]), &Command::Stop, later).is_err());
        assert_eq!((access.silent, access.warned), (0, Some(later)));
    }
}
