//! Prints which memory types a device has, which of them the usual requests get, and why:
//! `cargo run -p examples --bin memory-types -- --help`.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::{env, fs, io};

use examples::memory_types::{Device, page, report, table_names};

const HELP: &str = "\
Prints for each usual request every memory type of a device, whether it is chosen, and why.

memory-types                of the GPU of this machine (VK_BOOT_DEVICE names another)
memory-types --table NAME   of a device that vk-sim has the table of, or a part of its name
memory-types --json FILE    of a device by its vulkaninfo --json or gpuinfo.org report
memory-types --list         the names of the tables
memory-types --page         the page in the documentation of memtype-select
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let written = text(&words).and_then(|text| Ok(io::stdout().write_all(text.as_bytes())?));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What is to be printed.
fn text(words: &[&str]) -> Result<String, Box<dyn Error>> {
    Ok(match *words {
        [] => report(&Device::of_this_machine()?),
        ["--table", name] => report(&Device::from_table(name)?),
        ["--json", file] => report(&Device::from_json(&fs::read_to_string(file)?, file)?),
        ["--list"] => table_names().map(|name| format!("{name}\n")).collect(),
        ["--page"] => page(),
        ["--help" | "-h"] => HELP.to_owned(),
        _ => return Err(format!("these words were not understood: {words:?}\n{HELP}").into()),
    })
}
