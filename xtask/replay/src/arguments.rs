//! The command line.

use std::time::Duration;

use thiserror::Error;

use crate::player::Extent;
use crate::trace::Provenance;

/// The text of `replay --help`.
pub const HELP: &str = "\
Replays what a real renderer allocated, with real buffers and images.

  replay [OPTION]...
      --trace NAME|PATH   one of the traces in xtask/traces, or a file [bevy-radv-navi21]
      --device NAME       any, hardware, software, lavapipe, or a part of a device's or
                          driver's name [VK_BOOT_DEVICE, else hardware]
      --limit N           at most N operations of the trace
      --seconds N         no further operation after N seconds
      --no-validation     without the validation layer, which is on when it is installed

  replay import LOG OUT [OPTION]...
                          converts the CSV log of a program on wgpu's allocator, plain or
                          compressed, to a trace
      --program TEXT      the program that was recorded
      --recorder TEXT     how it was recorded

Exit code: 0 everything was right; 1 it was not, or could not be done; 2 there is no
Vulkan device.
";

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Replay a trace.
    Replay(Replay),
    /// Convert a log to a trace.
    Import(Import),
    /// Print [`HELP`].
    Help,
}

/// Options of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The trace's name or path.
    pub trace: Box<str>,
    /// The device's name; `None` if the environment chooses.
    pub device: Option<Box<str>>,
    /// How much of the trace is played.
    pub extent: Extent,
    /// Whether the validation layer is switched on when it is installed.
    pub validation: bool,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            trace: "bevy-radv-navi21".into(),
            device: None,
            extent: Extent::default(),
            validation: true,
        }
    }
}

/// Options of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The log's path.
    pub log: Box<str>,
    /// The trace's path.
    pub out: Box<str>,
    /// What is said about the trace in its header.
    pub provenance: Provenance,
}

/// What is wrong with a command line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentError {
    /// There is no such option or operand.
    #[error("`{argument}` is not known here; `replay --help` lists what is")]
    Unknown {
        /// As it was given.
        argument: Box<str>,
    },
    /// The option has a value, and the command line ends before it.
    #[error("`{option}` needs a value behind it")]
    NoValue {
        /// The option.
        option: Box<str>,
    },
    /// The option's value is a number.
    #[error("`{option}` needs a whole number, not `{value}`")]
    NotANumber {
        /// The option.
        option: Box<str>,
        /// As it was given.
        value: Box<str>,
    },
    /// `import` has two paths.
    #[error("`import` needs two paths: the log and the trace to write")]
    NoPath,
    /// The header of a trace has one line for each of these texts.
    #[error("the value of `{option}` has more than one line")]
    SeveralLines {
        /// The option.
        option: Box<str>,
    },
}

impl Command {
    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`], the first from the left.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, ArgumentError> {
        let mut arguments = arguments.into_iter().peekable();
        if arguments.next_if(|first| first == "import").is_some() {
            parse_import(&mut arguments)
        } else {
            parse_replay(&mut arguments)
        }
    }
}

fn parse_replay(arguments: &mut dyn Iterator<Item = String>) -> Result<Command, ArgumentError> {
    let mut replay = Replay::default();
    while let Some(argument) = arguments.next() {
        let mut value = || value(&argument, arguments);
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--trace" => replay.trace = value()?,
            "--device" => replay.device = Some(value()?),
            "--limit" => replay.extent.operations = Some(number(&argument, &value()?)?),
            "--seconds" => {
                let seconds = number(&argument, &value()?)?;
                replay.extent.time = Some(Duration::from_secs(seconds));
            }
            "--no-validation" => replay.validation = false,
            _ => return Err(unknown(argument)),
        }
    }
    Ok(Command::Replay(replay))
}

fn parse_import(arguments: &mut dyn Iterator<Item = String>) -> Result<Command, ArgumentError> {
    let mut import = Import::default();
    let mut paths = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--program" => import.provenance.program = line(&argument, arguments)?,
            "--recorder" => import.provenance.recorder = line(&argument, arguments)?,
            option if option.starts_with('-') => return Err(unknown(argument)),
            _ if paths.len() == 2 => return Err(unknown(argument)),
            _ => paths.push(argument.into_boxed_str()),
        }
    }
    let [log, out] = <[_; 2]>::try_from(paths).map_err(|_| ArgumentError::NoPath)?;
    (import.log, import.out) = (log, out);
    Ok(Command::Import(import))
}

fn value(
    option: &str,
    arguments: &mut dyn Iterator<Item = String>,
) -> Result<Box<str>, ArgumentError> {
    let value = arguments.next().ok_or_else(|| ArgumentError::NoValue { option: option.into() })?;
    Ok(value.into())
}

fn line(
    option: &str,
    arguments: &mut dyn Iterator<Item = String>,
) -> Result<Box<str>, ArgumentError> {
    let value = value(option, arguments)?;
    if value.contains(['\n', '\r']) {
        let option = option.into();
        return Err(ArgumentError::SeveralLines { option });
    }
    Ok(value)
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, ArgumentError> {
    value
        .parse()
        .map_err(|_| ArgumentError::NotANumber { option: option.into(), value: value.into() })
}

fn unknown(argument: String) -> ArgumentError {
    ArgumentError::Unknown { argument: argument.into() }
}
