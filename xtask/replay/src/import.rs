//! Imports the CSV log of a program that was recorded with wgpu's allocator.
//!
//! Line 1 describes the device (`# device="…" granularity=… atom=… types=… heaps=… …`), line 2 names
//! the columns, every further line is an operation:
//!
//! ```text
//! op,id,size,alignment,memory_type_bits,location,linear,scheme,name,t_us
//! alloc,4,16384,16,0x2d,GpuOnly,1,managed,skin uniform buffer,135425
//! free,4,,,,,,,,136246
//! ```
//!
//! The scheme and the time are left out: the first is the recorded allocator's own decision, the
//! second that machine's pace.

use std::collections::HashMap;

use crate::error::{Problem, TraceError};
use crate::fields;
use crate::trace::{Class, Kind, Provenance, RecordedDevice, Trace, TraceBuilder};

const COLUMNS: &str = "op,id,size,alignment,memory_type_bits,location,linear,scheme,name,t_us";

/// Reads the CSV log in `text`.
///
/// # Errors
///
/// [`TraceError::Line`] with the first line that breaks a rule of the log.
pub fn import(text: &str, provenance: Provenance) -> Result<Trace, TraceError> {
    let mut lines = text.lines();
    let device = device(lines.next().unwrap_or_default()).map_err(|problem| problem.at(1))?;
    if lines.next() != Some(COLUMNS) {
        return Err(Problem::Expected { expected: COLUMNS }.at(2));
    }
    let mut importer = Importer {
        builder: TraceBuilder::new(provenance, device),
        classes: HashMap::new(),
        live: HashMap::new(),
    };
    for (index, line) in lines.enumerate() {
        importer.operation(line).map_err(|problem| problem.at(index + 3))?;
    }
    Ok(importer.builder.finish())
}

/// The device that the first line describes.
fn device(line: &str) -> Result<RecordedDevice, Problem> {
    let (name, rest) = line
        .strip_prefix("# device=\"")
        .and_then(|rest| rest.split_once('"'))
        .ok_or(Problem::Expected { expected: "# device=\"" })?;
    Ok(RecordedDevice {
        name: name.into(),
        buffer_image_granularity: fields::number(
            after(rest, " granularity=", "granularity")?,
            "granularity",
        )?,
        non_coherent_atom_size: fields::number(after(rest, " atom=", "atom")?, "atom")?,
        memory_types: fields::memory_types(after(rest, " types=", "types")?)?,
        memory_heaps: fields::memory_heaps(after(rest, " heaps=", "heaps")?)?,
    })
}

/// What stands behind a key, up to the first word that begins with no digit: tables have several
/// words, and keys begin with a letter.
fn after<'a>(line: &'a str, key: &str, field: &'static str) -> Result<&'a str, Problem> {
    let (_, rest) = line.split_once(key).ok_or(Problem::MissingField { field })?;
    let end = rest
        .match_indices(' ')
        .map(|(index, _)| index)
        .find(|index| !rest[index + 1..].starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or(rest.len());
    Ok(&rest[..end])
}

struct Importer {
    builder: TraceBuilder,
    /// Index of each class that came up.
    classes: HashMap<Class, usize>,
    /// Index of each living allocation, by the log's identifier.
    live: HashMap<u64, usize>,
}

impl Importer {
    fn operation(&mut self, line: &str) -> Result<(), Problem> {
        // The name is the last field but one and the only one that may have commas in it.
        let mut parts = line.splitn(9, ',');
        let mut part = |field| parts.next().ok_or(Problem::MissingField { field });
        let operation = part("op")?;
        let id = fields::number(part("id")?, "id")?;
        match operation {
            "free" => {
                let allocation = self.live.get(&id).ok_or(Problem::NotLive)?;
                self.builder.free(*allocation)?;
                self.live.remove(&id);
                Ok(())
            }
            "alloc" => {
                let size = fields::number(part("size")?, "size")?;
                let alignment = fields::number(part("alignment")?, "alignment")?;
                let memory_type_bits = fields::bits(part("memory_type_bits")?, "memory_type_bits")?;
                let location = fields::location(part("location")?)?;
                let kind: Kind = fields::kind(part("linear")?, ["1", "0"], "linear", "0, 1")?;
                part("scheme")?;
                let (name, _) = part("name")?
                    .rsplit_once(',')
                    .ok_or(Problem::MissingField { field: "t_us" })?;
                let class =
                    Class { name: name.into(), location, kind, alignment, memory_type_bits };
                self.allocate(id, class, size)
            }
            _ => Err(Problem::UnknownWord { field: "op", words: "alloc, free" }),
        }
    }

    fn allocate(&mut self, id: u64, class: Class, size: u64) -> Result<(), Problem> {
        if self.live.contains_key(&id) {
            return Err(Problem::IdInUse { id });
        }
        let class = match self.classes.get(&class) {
            Some(index) => *index,
            None => {
                let index = self.builder.add_class(class.clone())?;
                self.classes.insert(class, index);
                index
            }
        };
        let allocation = self.builder.allocate(class, size)?;
        self.live.insert(id, allocation);
        Ok(())
    }
}
