//! Tells what the program of an input does: `replay facade FILE…` or `replay core FILE…`.

use std::process::ExitCode;

use fuzz_programs::{Trace, core, facade};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (run, files) = match arguments.split_first() {
        Some((target, files)) if target == "facade" => (facade as fn(&[u8], Trace) -> _, files),
        Some((target, files)) if target == "core" => (core as fn(&[u8], Trace) -> _, files),
        _ => {
            eprintln!("usage: replay facade|core FILE…");
            return ExitCode::from(2);
        }
    };
    for file in files {
        match std::fs::read(file) {
            Ok(bytes) => println!("{file}: {:?}", run(&bytes, Trace::On)),
            Err(error) => {
                eprintln!("error: {file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
