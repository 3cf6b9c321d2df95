//! One step of a program.

use vk_sim::{Call, Failure};

use super::Session;
use super::pools::Pool;
use crate::input::Input;

/// Live allocations of one program, at most.
const MAX_HELD: usize = 96;

impl Session<'_> {
    pub(super) fn step(&mut self, input: &mut Input<'_>) {
        let was_refused = std::mem::take(&mut self.was_refused);
        let choice = input.below(48);
        let can_hold = self.held.len() < MAX_HELD;
        match choice {
            0..=4 if can_hold => self.allocate(input),
            5..=7 if can_hold => self.create_buffer(input),
            8..=10 if can_hold => self.create_image(input),
            11 if can_hold => self.allocate_for_buffer(input),
            12 if can_hold => self.allocate_for_image(input),
            13 if can_hold => self.adopt(input),
            14..=18 => self.write(input),
            19 => self.read_one(input),
            20 => self.access_outside(input),
            21..=25 | 0..=13 => self.free_one(input),
            26 => self.trim(was_refused),
            27 => self.forge(input),
            28 => self.plant(input),
            29 | 30 => {
                self.trace.say(|| "clear failures".into());
                self.driver.clear_failures();
            }
            31 => {
                self.check_reports();
                self.check_contents();
            }
            32 | 33 => self.create_pool(input),
            34 | 35 if can_hold => self.allocate_in(input),
            36 if can_hold => self.create_buffer_in(input),
            37 if can_hold => self.create_image_in(input),
            38..=42 => self.allocate_evictables(input),
            43 => self.use_evictable(input),
            44 => self.begin_frame(input),
            45 => self.free_evictable(input),
            46 if input.one_in(3) => self.destroy_pool(input),
            46 => self.begin_frame(input),
            _ => self.free_one(input),
        }
        self.tally.failures = self.driver.fired_failure_count();
    }

    fn free_one(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let index = input.index(self.held.len());
        let held = self.held.swap_remove(index);
        self.trace.say(|| format!("free {:?} {:?}", held.allocation, held.resource));
        self.release(held);
    }

    fn trim(&mut self, was_refused: bool) {
        let before = self.allocator.stats();
        let bytes = self.allocator.trim();
        self.trace.say(|| format!("trim: {bytes:#x}"));
        let after = self.allocator.stats();
        let kept: u64 = self.pools.iter().map(Pool::kept).sum();
        assert_eq!(bytes, before.retained_size - kept, "all that is kept is given back");
        assert_eq!(before.total_allocated - after.total_allocated, bytes);
        assert_eq!(after.retained_size, kept, "but for what pools are to have");
        assert_eq!(self.allocator.trim(), 0, "nothing is left to be given back");
        // The planted fault: needs two known contents, a refusal, and a trim right after it.
        if cfg!(feature = "plant") && was_refused {
            let mut known = self.held.iter_mut().filter(|held| held.contents.is_known());
            if let (Some(_), Some(second)) = (known.next(), known.next()) {
                second.contents.falsify();
            }
        }
    }

    /// Makes calls of the driver fail.
    fn plant(&mut self, input: &mut Input<'_>) {
        let fallible: Vec<Call> = Call::ALL.into_iter().filter(|call| call.is_fallible()).collect();
        let call = input.pick(&fallible);
        let result = input.pick(call.errors());
        let number = 1 + u64::from(input.below(8));
        let failure = match input.below(8) {
            0 => Failure::every(call, result),
            1 => Failure::nth(number, result),
            _ => Failure::nth_of(call, number, result),
        };
        self.trace.say(|| format!("plant {failure:?}"));
        self.driver.fail(failure);
    }
}
