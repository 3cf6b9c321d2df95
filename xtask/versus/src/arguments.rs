//! The command line: `versus <group> [--json] [--runs N] [--quick] [--cases a,b] [--peers x,y]`.

use std::fmt;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) group: String,
    /// One JSON object a line instead of a table.
    pub(crate) json: bool,
    /// Less work and fewer runs; for a look, not for the record.
    pub(crate) quick: bool,
    pub(crate) runs: Option<usize>,
    /// Empty: all.
    pub(crate) cases: Vec<String>,
    /// Empty: all.
    pub(crate) peers: Vec<String>,
}

/// Why a command line was not understood; an empty one asks for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArgumentError {
    Help,
    Unknown(String),
    NoValue(&'static str),
    BadRuns(String),
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help => f.write_str("no group was named"),
            Self::Unknown(word) => write!(f, "unknown argument: {word}"),
            Self::NoValue(option) => write!(f, "{option} needs a value"),
            Self::BadRuns(word) => write!(f, "--runs takes a number from 1 on, not {word}"),
        }
    }
}

impl Arguments {
    /// Reads the words behind the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, ArgumentError> {
        let mut words = words.into_iter();
        let group = match words.next() {
            None => return Err(ArgumentError::Help),
            Some(word) if matches!(word.as_str(), "help" | "--help" | "-h") => {
                return Err(ArgumentError::Help);
            }
            Some(word) if word.starts_with('-') => return Err(ArgumentError::Unknown(word)),
            Some(word) => word,
        };
        let mut arguments =
            Self { group, json: false, quick: false, runs: None, cases: vec![], peers: vec![] };
        while let Some(word) = words.next() {
            let mut value = |option| words.next().ok_or(ArgumentError::NoValue(option));
            match word.as_str() {
                "--json" => arguments.json = true,
                "--quick" => arguments.quick = true,
                "--runs" => arguments.runs = Some(runs(&value("--runs")?)?),
                "--cases" => arguments.cases = list(&value("--cases")?),
                "--peers" => arguments.peers = list(&value("--peers")?),
                "--help" | "-h" => return Err(ArgumentError::Help),
                _ => return Err(ArgumentError::Unknown(word)),
            }
        }
        Ok(arguments)
    }
}

fn runs(word: &str) -> Result<usize, ArgumentError> {
    word.parse().ok().filter(|&runs| runs > 0).ok_or_else(|| ArgumentError::BadRuns(word.into()))
}

fn list(words: &str) -> Vec<String> {
    words.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, ArgumentError> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_option_is_read() {
        let line = "core --json --quick --runs 15 --cases lifo,fill --peers rlsf";
        let expected = Arguments {
            group: "core".into(),
            json: true,
            quick: true,
            runs: Some(15),
            cases: vec!["lifo".into(), "fill".into()],
            peers: vec!["rlsf".into()],
        };
        assert_eq!(parse(line), Ok(expected));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(parse(""), Err(ArgumentError::Help));
        assert_eq!(parse("core --fast"), Err(ArgumentError::Unknown("--fast".into())));
        assert_eq!(parse("--json"), Err(ArgumentError::Unknown("--json".into())));
        assert_eq!(parse("core --runs"), Err(ArgumentError::NoValue("--runs")));
        assert_eq!(parse("core --runs 0"), Err(ArgumentError::BadRuns("0".into())));
    }
}
