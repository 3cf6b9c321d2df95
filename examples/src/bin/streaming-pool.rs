//! Textures streamed under a budget, lost when they were not seen for a while; checks every byte. Headless:
//! `cargo run -p examples --bin streaming-pool`.

use std::error::Error;

use examples::{headless, streaming_pool};

fn main() -> Result<(), Box<dyn Error>> {
    headless(|boot| {
        let report = streaming_pool::run(boot)?;
        println!("{report:?}");
        Ok(())
    })
}
