//! The arguments of `cargo xtask fuzz`.

/// The targets, in the order of running.
pub(super) const TARGETS: [&str; 2] = ["core", "facade"];

/// Seconds for each target if nothing else is said.
pub(super) const DEFAULT_SECONDS: u64 = 30;

/// Seconds for each target with `--long`.
const LONG_SECONDS: u64 = 30 * 60;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Fuzz each of these for as long.
    Run { targets: Vec<&'static str>, seconds: u64 },
    /// Prove that the targets find a planted fault.
    Prove,
}

/// Reads the arguments; the error says which one is wrong.
pub(super) fn parse(words: &[&str]) -> Result<Plan, String> {
    if words == ["--prove"] {
        return Ok(Plan::Prove);
    }
    let mut targets = Vec::new();
    let mut seconds = None;
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let given = match word {
            "--long" => LONG_SECONDS,
            "--seconds" => {
                let number = words.next().and_then(|word| word.parse().ok());
                number.filter(|&number| number > 0).ok_or("--seconds needs a number above 0")?
            }
            name => {
                let target = TARGETS.into_iter().find(|target| *target == name);
                let all = TARGETS.join(", ");
                targets.push(target.ok_or(format!("no such target or argument: {name} ({all})"))?);
                continue;
            }
        };
        if seconds.replace(given).is_some() {
            return Err("--long and --seconds are given once, and not both".into());
        }
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    Ok(Plan::Run { targets, seconds: seconds.unwrap_or(DEFAULT_SECONDS) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], targets: &[&'static str], seconds: u64) {
        assert_eq!(parse(words), Ok(Plan::Run { targets: targets.to_vec(), seconds }));
    }

    #[test]
    fn targets_and_time_are_chosen_by_arguments() {
        check(&[], &TARGETS, 30);
        check(&["facade"], &["facade"], 30);
        check(&["--seconds", "5", "core"], &["core"], 5);
        check(&["core", "facade", "--long"], &TARGETS, 1800);
        assert_eq!(parse(&["--prove"]), Ok(Plan::Prove));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            &["pool"][..],
            &["--seconds"],
            &["--seconds", "0"],
            &["--seconds", "ten"],
            &["--long", "--seconds", "5"],
            &["--long", "--long"],
            &["--prove", "core"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
