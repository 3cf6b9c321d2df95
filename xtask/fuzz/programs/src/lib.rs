//! Programs on the allocators, decoded from bytes and checked at every step.
//!
//! One input is one program. [`facade`] drives the whole of `gpu-alloc-ash` on the simulated driver:
//! the first bytes are a device (any memory table, any limits) and a configuration, the others are
//! requests, accesses, frees and failures. [`core`] drives `buddy-core` with blocks that were handed
//! out and blocks that were made up. Both keep books of their own, and compare after every step.
//!
//! Any bytes are a program, the empty input too, so a fuzzer may change them as it likes. A finding is
//! a panic. There is nothing of libFuzzer in here: the recorded inputs run as tests on the pinned
//! toolchain, and `replay` tells what an input does.
//!
//! ```
//! use fuzz_programs::{Trace, core, facade};
//!
//! assert_eq!(core(&[], Trace::Off).steps, 0);
//! assert_eq!(facade(&[], Trace::Off).steps, 0);
//! assert!(core(&[0x5a; 200], Trace::Off).steps > 0);
//! ```

mod core;
mod facade;
mod input;
mod tally;

pub use crate::core::core;
pub use crate::facade::facade;
pub use crate::tally::{Tally, Trace};
