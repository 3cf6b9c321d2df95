//! Texture mixes and churns: programs that nobody recorded, each made from its name.
//!
//! A *mix* is the textures and buffers of a renderer's level: it fills up to so many bytes, and ten
//! times a random half goes and others come. A *churn* replaces random textures for a long time, while
//! the bytes that live swing.

use replay::RecordedDevice;

use super::program::{Program, Request, Step};
use crate::workloads::{KIB, MIB, Random};

/// Each mix and churn that is run when none is chosen.
pub(super) const DEFAULT: [&str; 5] =
    ["churn-texture", "mix-64m", "mix-256m", "mix-512m", "mix-2g"];

/// Those that are run when they are named: for a policy that was looked at with the others.
pub(super) const OTHERS: [&str; 8] = [
    "churn-64m",
    "churn-100m",
    "churn-256m",
    "churn-2g",
    "churn-small",
    "churn-burst",
    "churn-steady",
    "mix-1g",
];

/// The program of that name.
pub(super) fn find(name: &str) -> Option<Program> {
    const M: u64 = 1 << 20;
    let mib = |count| count * MIB;
    Some(match name {
        "churn-texture" => churn(name, &[600 * M, 1000 * M], 60_000, mib(16)),
        "churn-64m" => churn(name, &[40 * M, 64 * M], 40_000, mib(4)),
        "churn-100m" => churn(name, &[60 * M, 100 * M], 40_000, mib(16)),
        "churn-256m" => churn(name, &[100 * M, 256 * M], 40_000, mib(16)),
        "churn-2g" => churn(name, &[1200 * M, 2000 * M], 60_000, mib(16)),
        "churn-small" => churn(name, &[60 * M, 100 * M], 60_000, mib(1)),
        "churn-burst" => churn(name, &[400 * M, 1700 * M, 300 * M, 800 * M], 60_000, mib(16)),
        "churn-steady" => churn(name, &[500 * M], 60_000, mib(32)),
        "mix-64m" => mixed(name, 64 * M, 10),
        "mix-256m" => mixed(name, 256 * M, 10),
        "mix-512m" => mixed(name, 512 * M, 10),
        "mix-1g" => mixed(name, 1024 * M, 10),
        "mix-2g" => mixed(name, 2048 * M, 10),
        _ => return None,
    })
}

/// Fills up to `payload` bytes, and `rounds` times frees a random half and fills up again.
pub(super) fn mixed(name: &str, payload: u64, rounds: usize) -> Program {
    let mut maker = Maker::new(name);
    maker.fill(payload);
    for _ in 0..rounds {
        maker.halve();
        maker.fill(payload);
    }
    maker.finish(name)
}

/// The steps of [`mixed`] after which it is full: one, and one for each round.
pub(super) fn full_after(program: &Program) -> Vec<usize> {
    let frees = |index: usize| matches!(program.steps.get(index), Some(Step::Free { .. }) | None);
    let allocates = |index: usize| matches!(program.steps[index], Step::Allocate { .. });
    (0..program.steps.len()).filter(|&index| allocates(index) && frees(index + 1)).collect()
}

/// Textures of 64 KiB to `largest` bytes, log-uniform, come and random ones go: the live bytes are
/// led to each of the targets in turn, ten times in all.
fn churn(name: &str, targets: &[u64], step_count: usize, largest: u32) -> Program {
    let mut maker = Maker::new(name);
    let stretch = step_count / 10;
    for index in 0..step_count {
        if maker.live_bytes < targets[index / stretch % targets.len()] {
            let size = maker.random.log_uniform(64 * KIB, largest);
            let size = u64::from(size).next_multiple_of(64 << 10);
            maker.allocate(texture(size));
        } else {
            maker.free_random();
        }
    }
    maker.finish(name)
}

fn texture(size: u64) -> Request {
    Request { size, alignment: 64 << 10, memory_type_index: 0, is_image: true }
}

struct Maker {
    random: Random,
    steps: Vec<Step>,
    live: Vec<(usize, u64)>,
    live_bytes: u64,
    free_slots: Vec<usize>,
}

impl Maker {
    fn new(name: &str) -> Self {
        Self {
            random: Random::of(name),
            steps: vec![],
            live: vec![],
            live_bytes: 0,
            free_slots: vec![],
        }
    }

    fn fill(&mut self, payload: u64) {
        loop {
            let request = self.resource();
            if self.live_bytes + request.size > payload {
                return;
            }
            self.allocate(request);
        }
    }

    fn halve(&mut self) {
        for _ in 0..self.live.len() / 2 {
            self.free_random();
        }
    }

    /// A mip chain of RGBA8, BC7 or BC1, 64 to 4096 texels wide, or (a quarter of them) a buffer of 1 to
    /// 800 KiB; none above 16 MiB.
    fn resource(&mut self) -> Request {
        loop {
            let request = if self.random.below(4) == 0 {
                let size = u64::from(1 + self.random.below(800)) << 10;
                Request { size, alignment: 256, memory_type_index: 0, is_image: false }
            } else {
                let size = mip_chain(64 << self.random.below(7), self.random.below(3));
                // Small images have small tiles on the drivers that were looked at.
                let alignment = if size < 64 << 10 { 1024 } else { 64 << 10 };
                let size = size.next_multiple_of(alignment);
                Request { size, alignment, memory_type_index: 0, is_image: true }
            };
            if request.size <= 16 << 20 {
                return request;
            }
        }
    }

    fn allocate(&mut self, request: Request) {
        let slot = self.free_slots.pop().unwrap_or(self.live.len());
        self.live.push((slot, request.size));
        self.live_bytes += request.size;
        self.steps.push(Step::Allocate { slot, request });
    }

    fn free_random(&mut self) {
        let count = u32::try_from(self.live.len()).expect("a program has far fewer than 2^32");
        let (slot, size) = self.live.swap_remove(self.random.below(count) as usize);
        self.free_slots.push(slot);
        self.live_bytes -= size;
        self.steps.push(Step::Free { slot });
    }

    fn finish(self, name: &str) -> Program {
        Program::new(name, device(), self.steps)
    }
}

/// Bytes of a square image with all its mips: 4, 1 or half a byte a texel, in blocks of 4 by 4 but for
/// the first.
fn mip_chain(width: u32, format: u32) -> u64 {
    let mut sum = 0;
    let mut width = u64::from(width);
    while width > 0 {
        let blocks = width.div_ceil(4);
        sum += match format {
            0 => width * width * 4,
            1 => blocks * blocks * 16,
            _ => blocks * blocks * 8,
        };
        width /= 2;
    }
    sum
}

/// A device with one heap of 16 GiB, of which one type is made.
fn device() -> RecordedDevice {
    RecordedDevice {
        name: "one device-local type".into(),
        buffer_image_granularity: 1,
        non_coherent_atom_size: 64,
        memory_types: vec![(1, 0)],
        memory_heaps: vec![16 << 30],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_program_and_the_same_each_time() {
        for name in DEFAULT.into_iter().chain(OTHERS) {
            let program = find(name).expect("it is listed");
            assert_eq!(program.steps, find(name).expect("it is listed").steps);
            assert_eq!(program.name, name);
        }
        assert!(find("mix").is_none());
    }

    #[test]
    fn the_texture_churn_swings_between_its_targets() {
        let program = find("churn-texture").expect("it is listed");
        let (peak, last) = (program.live.iter().max(), program.live.last());
        assert_eq!(program.steps.len(), 60_000);
        assert!(peak.is_some_and(|peak| (1000 << 20..1016 << 20).contains(peak)), "{peak:?}");
        assert!(last.is_some_and(|&last| last > 980 << 20), "{last:?}");
    }

    #[test]
    fn a_mix_is_full_once_and_after_each_round() {
        let program = mixed("mix", 64 << 20, 3);
        let full = full_after(&program);
        assert_eq!(full.len(), 4);
        // The first resource that does not fit ends a round: at most 16 MiB are left.
        assert!(full.iter().all(|&step| program.live[step] > 48 << 20));
        assert!(program.live.iter().all(|&live| live <= 64 << 20));
    }

    #[test]
    fn mip_chains_have_a_third_more_than_their_first_level() {
        assert_eq!(mip_chain(4, 0), 4 * (16 + 4 + 1));
        assert_eq!(mip_chain(8, 1), 16 * (4 + 1 + 1 + 1));
        assert_eq!(mip_chain(4, 2), 8 * 3);
    }
}
