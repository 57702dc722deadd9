//! Who runs the server, and whom the system knows.

use nix::unistd::{Group, User, geteuid};

/// Whether the process runs as root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// The user that the process runs as.
pub fn own_uid() -> u32 {
    geteuid().as_raw()
}

/// The number of a user, given by name or as a number; none: there is no such user.
pub fn uid_of(user: &str) -> Option<u32> {
    let named = || User::from_name(user).ok()?.map(|user| user.uid.as_raw());
    user.parse().ok().or_else(named)
}

/// The number of a group, given by name or as a number; none: there is no such group.
pub fn gid_of(group: &str) -> Option<u32> {
    let named = || {
        Group::from_name(group)
            .ok()?
            .map(|group| group.gid.as_raw())
    };
    group.parse().ok().or_else(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_known_and_what_is_neither_is_not() {
        assert_eq!((uid_of("root"), gid_of("root")), (Some(0), Some(0)));
        assert_eq!((uid_of("4711"), gid_of("4711")), (Some(4711), Some(4711)));
        assert_eq!(
            (uid_of("no such user"), gid_of("no such group")),
            (None, None)
        );
        assert_eq!(uid_of("-1"), None);
    }
}
