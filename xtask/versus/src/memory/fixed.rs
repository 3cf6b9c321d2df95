//! How full fixed blocks get: a mix of textures in as many blocks of 64 MiB as it takes.

use super::facade::{Facade, Ours, Policy, Vma};
use super::mixes;
use super::play;

/// The case's name.
pub(super) const NAME: &str = "fixed-64m";

const BLOCK: u64 = 64 << 20;
const PAYLOAD: u64 = 2 << 30;
const ROUNDS: usize = 10;

/// Live bytes by committed bytes, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fullness {
    /// When 2 GiB have come.
    pub(super) filled: f64,
    /// When a random half has gone and others have come, mean of ten rounds.
    pub(super) churned: f64,
}

/// Ours and VMA's, as means over so many mixes.
///
/// # Errors
///
/// Those of [`play::watch`].
pub(super) fn run(
    mix_count: usize,
    tell: &mut dyn FnMut(&str),
) -> Result<(Fullness, Fullness), String> {
    let (mut ours, mut theirs) = (Fullness::default(), Fullness::default());
    for index in 0..mix_count {
        tell(&format!("{NAME}: mix {} of {mix_count}", index + 1));
        let program = mixes::mixed(&format!("{NAME}-{index}"), PAYLOAD, ROUNDS);
        ours.add(of::<Ours>(&program)?, mix_count);
        theirs.add(of::<Vma>(&program)?, mix_count);
    }
    Ok((ours, theirs))
}

fn of<F: Facade>(program: &super::program::Program) -> Result<Fullness, String> {
    let seen = play::watch::<F>(program, Policy::FixedBlocks(BLOCK))?;
    let full = mixes::full_after(program);
    let percent = |&step: &usize| 100.0 * program.live[step] as f64 / seen.committed[step] as f64;
    let [first, rounds @ ..] = full.as_slice() else {
        return Err(format!("{} is never full", program.name));
    };
    let churned = rounds.iter().map(percent).sum::<f64>() / rounds.len() as f64;
    Ok(Fullness { filled: percent(first), churned })
}

impl Fullness {
    fn add(&mut self, other: Self, count: usize) {
        self.filled += other.filled / count as f64;
        self.churned += other.churned / count as f64;
    }
}
