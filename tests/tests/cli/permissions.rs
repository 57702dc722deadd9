//! Who may ask what over the control socket. Root has to run these, to be somebody else.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use tests::binary::binary;
use tests::folder::Folder;
use tests::loopback;
use tests::rights::is_root;
use tests::server::{Ended, Launch, Server};

/// Nobody's; and groups that nobody has.
const NOBODY: &str = "65534";
const SOMEBODY: &str = "4711";
const GROUP: &str = "4712";
const ADMINS: &str = "4713";

const NOT_PERMITTED: Option<i32> = Some(4);

/// A server, and a binary that everybody may run.
struct Place {
    server: Server,
    binary: PathBuf,
    _folder: Folder,
}

impl Place {
    /// With these lines in `[control]`. None without root.
    fn new(options: &str) -> Option<Self> {
        if !is_root("to be somebody else") {
            return None;
        }
        let folder = Folder::new();
        let copy = folder.path().join("ripples");
        fs::copy(binary(), &copy).expect("a folder of one's own");
        let address = loopback::address().to_string();
        let config = format!("io = \"socket\"\nlisten = [\"{address}\"]\n[control]\n{options}\n");
        let launch = Launch::run(&["--config", "ripples.toml", "--log", "ripples=debug"]);
        Some(Self {
            server: launch.file("ripples.toml", &config).start(),
            binary: copy,
            _folder: folder,
        })
    }

    /// Asks as another user, with one group and further ones.
    fn ask(&self, user: &str, group: &str, further: &str, words: &[&str]) -> Ended {
        let control = self.server.control();
        let further = match further {
            "" => "--clear-groups".to_owned(),
            groups => format!("--groups={groups}"),
        };
        let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
        let setpriv = ["setpriv", &user, &group, &further];
        Launch::new(&["ctl", "--control", &control.to_string_lossy()])
            .with(words)
            .program(&self.binary)
            .by(&setpriv)
            .finish()
    }

    fn codes(&self, user: &str, group: &str, further: &str) -> [Option<i32>; 2] {
        [&["zones"][..], &["reload"]].map(|words| self.ask(user, group, further, words).code)
    }

    /// Mode and group of the socket's file.
    fn file(&self) -> (u32, u32) {
        let metadata = fs::metadata(self.server.control()).expect("it listens");
        (metadata.mode() & 0o777, metadata.gid())
    }
}

#[test]
fn by_default_the_socket_lets_in_nobody_else() {
    let Some(place) = Place::new("") else {
        return;
    };
    assert_eq!(place.file(), (0o600, 0));
    let ended = place.ask(NOBODY, NOBODY, "", &["status"]);
    assert_eq!(ended.code, NOT_PERMITTED);
    assert!(
        ended.stderr.contains("Permission denied"),
        "{}",
        ended.stderr
    );
    // Even where somebody opens the file, credentials decide.
    fs::set_permissions(place.server.control(), Permissions::from_mode(0o666)).unwrap();
    let ended = place.ask(NOBODY, NOBODY, "", &["status"]);
    assert_eq!(ended.code, NOT_PERMITTED);
    let expected = "ripples: uid 65534 may not ask this server anything: `status` is for root, \
                    the server's own user, and control.admins\n";
    assert_eq!(ended.stderr, expected);
    place.server.stop();
}

#[test]
fn the_sockets_group_may_look_and_admins_may_change_things() {
    let options = format!("group = \"{GROUP}\"\nadmins = [\"@{ADMINS}\", \"{SOMEBODY}\"]");
    let Some(place) = Place::new(&options) else {
        return;
    };
    assert_eq!(place.file(), (0o660, GROUP.parse().unwrap()));
    let (done, refused) = (Some(0), NOT_PERMITTED);
    assert_eq!(place.codes(NOBODY, NOBODY, ""), [refused, refused]);
    assert_eq!(place.codes(NOBODY, GROUP, ""), [done, refused]);
    assert_eq!(place.codes(NOBODY, NOBODY, GROUP), [done, refused]);
    let both = format!("{GROUP},{ADMINS}");
    assert_eq!(place.codes(NOBODY, NOBODY, &both), [done, done]);
    assert_eq!(place.codes(SOMEBODY, GROUP, ""), [done, done]);
    assert_eq!(place.codes(SOMEBODY, NOBODY, ""), [refused, refused]);
    assert_eq!(place.codes("0", "0", ""), [done, done]);
    place.server.stop();
}

#[test]
fn whoever_may_only_look_changes_nothing_and_is_in_the_log() {
    let Some(place) = Place::new("mode = \"0666\"") else {
        return;
    };
    let nobody = |words: &[&str]| place.ask(NOBODY, NOBODY, "", words);
    for words in [
        &["status"][..],
        &["stats"],
        &["zones"],
        &["health"],
        &["geo"],
        &["log-level"],
        &["cookies"],
        &["policy"],
    ] {
        let ended = nobody(words);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
    }
    for words in [
        &["reload"][..],
        &["zone", "reload", "example"],
        &["down", "192.0.2.1"],
        &["up", "192.0.2.1"],
        &["auto", "192.0.2.1"],
        &["log-level", "debug"],
        &["cookies", "rotate"],
        &["upgrade"],
        &["stop"],
    ] {
        let ended = nobody(words);
        assert_eq!(ended.code, NOT_PERMITTED, "{words:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("uid 65534 may only look"),
            "{words:?}"
        );
    }
    // A server of somebody else's does not get what is open here.
    let ended = replace_as_nobody(&place);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "cannot be replaced, and goes on: uid 65534 may only look: `replace`";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    let log = place.server.log();
    let warned = log.matches("WARN ripples::control::access control: not permitted uid=65534");
    assert_eq!(warned.count(), 1, "{log}");
    let told = log.matches("control: refused uid=65534").count();
    assert_eq!(told, 10, "{log}");
    place.server.stop();
}

/// What a server of nobody's says that wants to replace it.
fn replace_as_nobody(place: &Place) -> Ended {
    let (control, address) = (place.server.control(), loopback::address().to_string());
    Launch::run_at(
        &control,
        &["--replace", "--io", "socket", "--listen", &address],
    )
    .without_rights()
    .finish()
}

#[test]
fn a_server_without_root_obeys_its_own_user_and_root() {
    if !is_root("to be somebody else") {
        return;
    }
    let address = loopback::address().to_string();
    let server = Launch::run(&["--io", "socket", "--listen", &address])
        .without_rights()
        .start();
    assert_eq!(server.ctl(&["reload"]).code, Some(0), "root");
    let own = server.folder().join("ripples");
    let control = server.control();
    let ended = Launch::new(&["ctl", "--control", &control.to_string_lossy(), "reload"])
        .program(&own)
        .by(&[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ])
        .finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    server.stop();
}

#[test]
fn a_group_that_is_not_there_is_an_error_at_the_start() {
    for (arguments, expected) in [
        (
            ["--control-group", "no such"],
            "--control-group: there is no group \"no such\"",
        ),
        (
            ["--control-mode", "0060"],
            "--control-mode: \"0060\" keeps the server's own user out",
        ),
    ] {
        let ended = Launch::run(&["--io", "socket"]).with(&arguments).finish();
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
