//! `[control]`: where the control socket is, and who may do what there.

use super::{CONTROL_DEFAULT, ConfigError, RunArguments};
use crate::sys::user;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// Who may open the control socket, and who of them may change things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlOptions {
    /// Permissions of the socket's file: who can open it may look.
    pub mode: u32,
    /// Its group; none: that of the process.
    pub group: Option<u32>,
    /// Who may change things, beside root and the server's own user.
    pub admins: Vec<Admin>,
}

/// Somebody who may change things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// The user with this number.
    User(u32),
    /// Whoever has the group with this number.
    Group(u32),
}

impl Default for ControlOptions {
    fn default() -> Self {
        Self {
            mode: MODE_ALONE,
            group: None,
            admins: Vec::new(),
        }
    }
}

/// The server's own user, and nobody else.
const MODE_ALONE: u32 = 0o600;
/// A group as well.
const MODE_GROUP: u32 = 0o660;

/// `[control]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlTable {
    pub(super) path: Option<PathBuf>,
    mode: Option<String>,
    group: Option<String>,
    #[serde(default)]
    admins: Vec<String>,
}

/// Reads `control = "PATH"` as well, which is the table with nothing but a path.
pub(super) fn path_or_table<'de, D>(deserializer: D) -> Result<ControlTable, D::Error>
where
    D: Deserializer<'de>,
{
    struct Either;

    impl<'de> Visitor<'de> for Either {
        type Value = ControlTable;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a path, `none`, or the table [control]")
        }

        fn visit_str<E: de::Error>(self, path: &str) -> Result<ControlTable, E> {
            Ok(ControlTable {
                path: Some(path.into()),
                ..ControlTable::default()
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ControlTable, A::Error> {
            ControlTable::deserialize(MapAccessDeserializer::new(map))
        }
    }

    // An untagged enum would not say where in the file an error is.
    deserializer.deserialize_any(Either)
}

/// The control socket: `none` means that there is none; without privilege the default has no place.
pub(super) fn path(arguments: &RunArguments, file: Option<&Path>) -> Option<PathBuf> {
    let path = arguments.control.as_deref().or(file);
    match path {
        Some(path) if path == Path::new("none") => None,
        Some(path) => Some(path.to_owned()),
        None => {
            let default = PathBuf::from(CONTROL_DEFAULT);
            user::is_root().then_some(default)
        }
    }
}

/// The command line over the file over defaults.
pub(super) fn check(
    arguments: &RunArguments,
    file: &ControlTable,
) -> Result<ControlOptions, ConfigError> {
    let group = match (&arguments.control_group, &file.group) {
        (Some(group), _) => Some(gid("--control-group", group)?),
        (None, Some(group)) => Some(gid("control.group", group)?),
        (None, None) => None,
    };
    let mode = match (&arguments.control_mode, &file.mode) {
        (Some(text), _) => mode("--control-mode", text)?,
        (None, Some(text)) => mode("control.mode", text)?,
        // Whoever names a group wants it to get in.
        (None, None) if group.is_some() => MODE_GROUP,
        (None, None) => MODE_ALONE,
    };
    let admins = file.admins.iter().map(|text| admin(text));
    Ok(ControlOptions {
        mode,
        group,
        admins: admins.collect::<Result<_, _>>()?,
    })
}

/// Octal digits, as chmod(1) has them.
fn mode(option: &str, text: &str) -> Result<u32, ConfigError> {
    let problem = |problem: &str| ConfigError::option(option, format!("{text:?} {problem}"));
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal);
    let mode = mode.filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or_else(|| problem("is no mode in octal digits, as in 0660"))?;
    match mode & MODE_ALONE == MODE_ALONE {
        true => Ok(mode),
        false => Err(problem("keeps the server's own user out: begin with 06")),
    }
}

fn gid(option: &str, group: &str) -> Result<u32, ConfigError> {
    let gid = user::gid_of(group);
    gid.ok_or_else(|| ConfigError::option(option, format!("there is no group {group:?}")))
}

/// A user, or a group behind `@`.
fn admin(text: &str) -> Result<Admin, ConfigError> {
    let option = "control.admins";
    match text.strip_prefix('@') {
        Some(group) => gid(option, group).map(Admin::Group),
        None => user::uid_of(text)
            .map(Admin::User)
            .ok_or_else(|| ConfigError::option(option, format!("there is no user {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<ControlOptions, String> {
        #[derive(Deserialize)]
        struct File {
            #[serde(deserialize_with = "path_or_table")]
            control: ControlTable,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        check(&RunArguments::default(), &file.control).map_err(|error| error.to_string())
    }

    #[test]
    fn a_path_alone_lets_nobody_else_in() {
        let options = checked("control = \"/run/c.sock\"").unwrap();
        assert_eq!(options, ControlOptions::default());
        assert_eq!(options.mode, 0o600);
    }

    #[test]
    fn a_group_gets_in_and_some_may_change_things() {
        let options = checked("[control]\ngroup = \"root\"\nadmins = [\"root\", \"@7\"]").unwrap();
        assert_eq!((options.mode, options.group), (0o660, Some(0)));
        assert_eq!(options.admins, [Admin::User(0), Admin::Group(7)]);
        let options = checked("[control]\ngroup = \"9\"\nmode = \"0666\"").unwrap();
        assert_eq!((options.mode, options.group), (0o666, Some(9)));
    }

    #[test]
    fn what_nobody_knows_is_refused_by_its_name() {
        for (line, expected) in [
            ("mode = \"0669\"", "control.mode: \"0669\" is no mode"),
            ("mode = \"+660\"", "control.mode: \"+660\" is no mode"),
            ("mode = \"04660\"", "control.mode: \"04660\" is no mode"),
            (
                "mode = \"0060\"",
                "control.mode: \"0060\" keeps the server's",
            ),
            (
                "group = \"no such\"",
                "control.group: there is no group \"no such\"",
            ),
            (
                "admins = [\"@no such\"]",
                "control.admins: there is no group",
            ),
            ("admins = [\"no such\"]", "control.admins: there is no user"),
        ] {
            let error = checked(&format!("[control]\n{line}")).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = checked("[control]\nmodus = \"0600\"").unwrap_err();
        assert!(error.contains("unknown field"), "{error}");
        let error = checked("control = 7").unwrap_err();
        assert!(
            error.contains("a path, `none`, or the table [control]"),
            "{error}"
        );
    }
}
