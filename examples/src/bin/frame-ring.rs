//! Uniforms of three frames in flight, in a ring; checks every byte. Headless:
//! `cargo run -p examples --bin frame-ring`.

use std::error::Error;

use examples::{frame_ring, headless};

fn main() -> Result<(), Box<dyn Error>> {
    headless(|boot| {
        let report = frame_ring::run(boot)?;
        println!("{report:?}");
        Ok(())
    })
}
