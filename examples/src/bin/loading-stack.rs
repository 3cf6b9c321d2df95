//! Levels loaded with two stacks in one block; checks every byte. Headless:
//! `cargo run -p examples --bin loading-stack`.

use std::error::Error;

use examples::{headless, loading_stack};

fn main() -> Result<(), Box<dyn Error>> {
    headless(|boot| {
        let report = loading_stack::run(boot)?;
        println!("{report:?}");
        Ok(())
    })
}
