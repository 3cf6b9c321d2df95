//! Runs other programs: from the repository root, shown before they start, judged by exit status.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;

/// Why a verb failed, in words for a person: what, and what to do where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a finished program printed, standard output and error in the order of writing.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) text: String,
    pub(crate) status: ExitStatus,
}

/// Whether a captured program's output is also shown while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    Shown,
    Hidden,
}

/// The repository's root folder.
///
/// Cargo tells a program that it runs where its package lies. The path at compile time can be that
/// of another checkout: two that share a target folder share this program, too.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        package.parent().expect("the package xtask lies in a folder of the repository").into()
    })
}

/// A cargo command in the repository's root: the cargo that runs this program, if one does.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command that must succeed, with this program's own terminal.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let shown = shown(&command);
    check(&shown, status(command)?)
}

/// Runs a command to its end with this program's own terminal, whatever its exit status.
pub(crate) fn status(command: Command) -> Result<ExitStatus, Failure> {
    announce(&shown(&command));
    status_in_silence(command)
}

/// The same without a word on standard output, which is the command's alone.
pub(crate) fn status_in_silence(mut command: Command) -> Result<ExitStatus, Failure> {
    let shown = shown(&command);
    command.status().map_err(|error| cannot_start(&shown, &error))
}

/// Runs a command that must succeed, and hands over what it printed.
pub(crate) fn run_captured(command: Command, echo: Echo) -> Result<String, Failure> {
    let shown = shown(&command);
    let captured = capture(command, echo)?;
    if !captured.status.success() && echo == Echo::Hidden {
        eprint!("{}", captured.text);
    }
    check(&shown, captured.status)?;
    Ok(captured.text)
}

/// Runs a command to its end and hands over what it printed, whatever its exit status.
pub(crate) fn capture(mut command: Command, echo: Echo) -> Result<Captured, Failure> {
    let shown = shown(&command);
    if echo == Echo::Shown {
        announce(&shown);
    }
    let fails = |error: io::Error| cannot_start(&shown, &error);
    // One pipe for both streams keeps cargo's headings before the results they belong to.
    let (reader, writer) = io::pipe().map_err(fails)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(fails)?).stderr(writer);
    // The output is parsed, so no colour codes, whatever the caller's environment says.
    command.env("CARGO_TERM_COLOR", "never");
    let mut child = command.spawn().map_err(fails)?;
    // The command owns this side's write ends; reading ends when the child's are the last ones.
    drop(command);
    let text = read_all(BufReader::new(reader), echo).map_err(fails)?;
    let status = child.wait().map_err(fails)?;
    Ok(Captured { text, status })
}

fn read_all(mut reader: impl BufRead, echo: Echo) -> io::Result<String> {
    let mut text = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if echo == Echo::Shown {
            let mut terminal = io::stdout().lock();
            terminal.write_all(&line)?;
            terminal.flush()?;
        }
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(text)
}

/// The command as a person would type it, the program by its file name.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

fn announce(shown: &str) {
    println!("$ {shown}");
}

fn cannot_start(shown: &str, error: &io::Error) -> Failure {
    Failure::new(format!("`{shown}` could not be run: {error}"))
}

fn check(shown: &str, status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{shown}` failed: {status}"))) }
}

/// Whether a command can be run, and succeeds.
pub(crate) fn answers(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_are_captured_in_the_order_of_writing() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo one; echo two >&2; echo three; exit 3"]);
        let captured = capture(shell, Echo::Hidden).unwrap();
        assert_eq!(captured.text, "one\ntwo\nthree\n");
        assert_eq!(captured.status.code(), Some(3));
    }

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exit 3"]);
        let failure = run_captured(shell, Echo::Hidden).unwrap_err();
        assert_eq!(failure, Failure::new("`sh -c exit 3` failed: exit status: 3"));
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let failure = run(Command::new("no-such-program-anywhere")).unwrap_err();
        assert!(failure.to_string().starts_with("`no-such-program-anywhere` could not be run"));
    }

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }
}
