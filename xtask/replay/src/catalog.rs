//! Finds, reads and writes trace files.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::error::TraceError;
use crate::format::{decode, encode};
use crate::trace::Trace;

/// The ending of a compressed trace's file name.
pub const EXTENSION: &str = ".trace.gz";

/// The first bytes of a file in gzip format (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The folder of the traces that come with the sources.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces")
}

/// The names of the traces in a folder, sorted; none when it cannot be read.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(EXTENSION).map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// The file that `name` stands for: a trace of the folder, else a path.
#[must_use]
pub fn find(folder: &Path, name: &str) -> PathBuf {
    let known = folder.join(format!("{name}{EXTENSION}"));
    if known.is_file() { known } else { name.into() }
}

/// The name that a trace's file goes by: without folder and ending.
#[must_use]
pub fn name_of(path: &Path) -> &str {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or("trace");
    name.strip_suffix(EXTENSION).unwrap_or(name)
}

/// Reads a trace, compressed or not.
///
/// # Errors
///
/// [`TraceError::Read`] when the file cannot be read or decompressed, [`TraceError::Line`] when it
/// breaks a rule of the format.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    decode(&read_text(path)?)
}

/// Reads a text file, decompressing it when it is in gzip format.
///
/// # Errors
///
/// [`TraceError::Read`], also for what is no UTF-8 or fails the checksum of its compression.
pub fn read_text(path: &Path) -> Result<String, TraceError> {
    let unreadable = |error: std::io::Error| TraceError::Read { kind: error.kind() };
    let bytes = fs::read(path).map_err(unreadable)?;
    let mut text = String::new();
    if bytes.starts_with(&GZIP_MAGIC) {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(unreadable)?;
    } else {
        bytes.as_slice().read_to_string(&mut text).map_err(unreadable)?;
    }
    Ok(text)
}

/// Writes a trace, compressed, and returns how many bytes the file has.
///
/// The same trace gives the same bytes: no time and no name is stored in them.
///
/// # Errors
///
/// [`TraceError::Write`].
pub fn write(path: &Path, trace: &Trace) -> Result<usize, TraceError> {
    let unwritable = |error: std::io::Error| TraceError::Write { kind: error.kind() };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(encode(trace).as_bytes()).map_err(unwritable)?;
    let bytes = encoder.finish().map_err(unwritable)?;
    fs::write(path, &bytes).map_err(unwritable)?;
    Ok(bytes.len())
}
