//! Fetches packages from the archive that this machine's own apt is set up with.
//!
//! Basic design: which archive, and by which proxy and key, is apt's own knowledge; it is asked for
//! the addresses of the machine's release, and other suites are sought beside it. Each suite has
//! lists and a cache of its own under `target/`, so a suite that does not exist fails alone, nothing
//! is installed, and no rights are needed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Captured, Echo};

/// The key that signs every suite, where the machine has it in a file of its own.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where the packages of this machine's release come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The release's name, such as `bookworm`.
    pub(crate) release: String,
    main: String,
    security: String,
}

/// What `apt-get` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// These packages alone.
    Alone,
    /// These packages and all that they depend on, as on a machine that has nothing yet.
    WithDependencies,
}

impl Archive {
    /// Asks this machine's apt; the error is a reason in words.
    pub(crate) fn of_this_machine() -> Result<Self, String> {
        let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let release = release_of(&system)?;
        let mut command = Command::new("apt-get");
        let format = "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)";
        command.args(["indextargets", "--no-release-info", "--format", format]);
        let text = run::capture(command, Echo::Hidden).map_err(|failure| failure.to_string())?.text;
        Self::of_targets(release, &text)
            .ok_or_else(|| format!("apt has no source for the release {release}"))
    }

    /// Reads lines of kind, address, suite and component.
    fn of_targets(release: &str, targets: &str) -> Option<Self> {
        let address = |wanted: &str| {
            targets.lines().find_map(|line| {
                let [kind, address, suite, component] =
                    line.split_whitespace().collect::<Vec<_>>()[..]
                else {
                    return None;
                };
                (kind == "Packages" && suite == wanted && component == "main")
                    .then(|| address.trim_end_matches('/').to_owned())
            })
        };
        let main = address(release)?;
        let security = address(&format!("{release}-security")).unwrap_or_else(|| main.clone());
        Some(Self { release: release.to_owned(), main, security })
    }

    /// Downloads packages of one suite into a folder under `work`, and answers the files.
    ///
    /// # Errors
    ///
    /// A reason in words.
    pub(crate) fn download(
        &self,
        suite: &str,
        packages: &[&str],
        wanted: Wanted,
        work: &Path,
    ) -> Result<Vec<PathBuf>, String> {
        let folders = ["lists/partial", "cache/archives/partial"].map(|folder| work.join(folder));
        for folder in &folders {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let write = |name: &str, text: &str| {
            fs::write(work.join(name), text).map_err(|error| format!("{name}: {error}"))
        };
        write("sources.list", &self.source_line(suite, Path::new(KEYRING).exists()))?;
        write("status", "")?;
        apt_get(work, &["update"])?;
        let archives = work.join("cache/archives");
        match wanted {
            Wanted::Alone => {
                let words = [&["download"], packages].concat();
                // This verb downloads to where it is started.
                let mut command = command(work, &words);
                command.current_dir(&archives);
                succeed(command)?;
            }
            Wanted::WithDependencies => {
                let words = ["install", "--yes", "--download-only", "--no-install-recommends"];
                apt_get(work, &[&words, packages].concat())?;
            }
        }
        packages_in(&archives)
    }

    fn source_line(&self, suite: &str, has_keyring: bool) -> String {
        let address = if suite.ends_with("-security") { &self.security } else { &self.main };
        let signed = if has_keyring { format!("[signed-by={KEYRING}] ") } else { String::new() };
        format!("deb {signed}{address} {suite} main\n")
    }
}

/// The name of the release, from the text of `os-release`.
fn release_of(system: &str) -> Result<&str, String> {
    let value = |key: &str| {
        let line = system.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"'))
    };
    if value("ID") != Some("debian") {
        return Err("this system is not Debian, whose archive has the packages".into());
    }
    value("VERSION_CODENAME").ok_or_else(|| "this Debian does not say which release it is".into())
}

fn apt_get(work: &Path, words: &[&str]) -> Result<(), String> {
    succeed(command(work, words))
}

/// `apt-get` with lists, cache and state of its own.
fn command(work: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
    let under = |name: &str| work.join(name).into_os_string();
    let options: [(&str, OsString); 13] = [
        ("Dir::Etc::sourcelist", under("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::Etc::preferences", "/dev/null".into()),
        ("Dir::Etc::preferencesparts", "/dev/null".into()),
        ("Dir::State::lists", under("lists")),
        ("Dir::State::status", under("status")),
        ("Dir::Cache", under("cache")),
        ("Dir::Log", under("log")),
        // Those who may, do not become another user, who could not read the folder.
        ("APT::Sandbox::User", "root".into()),
        // The lock of the system's own archives is of no concern.
        ("Debug::NoLocking", "1".into()),
        ("APT::Update::Error-Mode", "any".into()),
        ("Acquire::Retries", "1".into()),
        ("Acquire::http::Timeout", "30".into()),
    ];
    for (name, value) in options {
        let mut option = OsString::from(name);
        option.push("=");
        option.push(value);
        command.arg("-o").arg(option);
    }
    command.args(words);
    command
}

fn succeed(command: Command) -> Result<(), String> {
    let captured = run::capture(command, Echo::Hidden).map_err(|failure| failure.to_string())?;
    if captured.status.success() { Ok(()) } else { Err(reason(&captured)) }
}

/// The first error that a program printed, or else the last line.
fn reason(captured: &Captured) -> String {
    let mut lines = captured.text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().find(|line| line.starts_with("E:"));
    first.or_else(|| lines.next_back()).unwrap_or("it failed without a word").to_owned()
}

/// The packages in a folder, by name.
fn packages_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut packages: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    packages.sort();
    if packages.is_empty() { Err("no package was downloaded".into()) } else { Ok(packages) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from apt 2.6, with addresses in the place of the real ones.
    const TARGETS: &str = "\
Translations http://mirror.invalid/debian/ bookworm main
Packages http://mirror.invalid/debian/ bookworm contrib
Packages http://mirror.invalid/debian/ bookworm main
Packages http://mirror.invalid/debian/ bookworm-updates main
Packages http://safe.invalid/debian-security/ bookworm-security main
";

    #[test]
    fn the_archive_is_what_apt_has_for_the_release() {
        let archive = Archive::of_targets("bookworm", TARGETS).unwrap();
        assert_eq!(
            archive.source_line("bookworm-backports", false),
            "deb http://mirror.invalid/debian bookworm-backports main\n"
        );
        assert_eq!(
            archive.source_line("bookworm-security", true),
            format!(
                "deb [signed-by={KEYRING}] http://safe.invalid/debian-security bookworm-security main\n"
            )
        );
        assert_eq!(Archive::of_targets("trixie", TARGETS), None);
        let one = "Packages http://mirror.invalid/debian bookworm main\n";
        let archive = Archive::of_targets("bookworm", one).unwrap();
        assert_eq!(archive.security, "http://mirror.invalid/debian", "there is no other");
    }

    #[test]
    fn other_systems_are_refused_by_name() {
        let debian = "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=\"bookworm\"\n";
        assert_eq!(release_of(debian), Ok("bookworm"));
        for other in ["", "ID=ubuntu\nVERSION_CODENAME=jammy\n", "ID=debian\nID_LIKE=x\n"] {
            assert!(release_of(other).is_err(), "{other}");
        }
    }

    #[test]
    fn apt_is_kept_from_everything_that_the_system_has() {
        let command = command(Path::new("/w"), &["update"]);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        for option in ["Dir::State::lists=/w/lists", "Dir::State::status=/w/status"] {
            assert!(words.iter().any(|word| word == option), "{words:?}");
        }
        assert_eq!(words.last().unwrap(), "update");
    }
}
