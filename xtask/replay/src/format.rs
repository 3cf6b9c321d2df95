//! The trace format: text, a line for each operation, meant to be compressed.
//!
//! Basic design: renderers make the same few kinds of allocation thousands of times, so everything
//! but the size is said once, in a class, and an operation is one or two small numbers.
//!
//! ```text
//! gpu-alloc trace 1
//! program Bevy on wgpu
//! recorder how it was recorded
//! device AMD Radeon RX 6800 (RADV NAVI21)
//! granularity 1
//! atom 64
//! types 0x1@0 0x6@1
//! heaps 16911433728 16746784768
//! class GpuOnly buffer 16 0x2d skin uniform buffer
//! class CpuToGpu buffer 16 0x2d staging
//! operations 3
//! 0 16384
//! 1 208
//! -1
//! ```
//!
//! A class line has location, kind, alignment in bytes, memory type bits and name. An operation
//! line is `class size` for an allocation; or `-n` for the end of the allocation that was made `n`
//! allocations before the newest one, since most allocations die young and small numbers compress
//! well. The number of operations is stated, so that a text that was cut off is found out.

use std::fmt::Write as _;

use crate::error::{Problem, TraceError};
use crate::fields;
use crate::trace::{Class, Kind, Operation, Provenance, RecordedDevice, Trace, TraceBuilder};

const FIRST_LINE: &str = "gpu-alloc trace 1";

/// The text of a trace.
///
/// ```
/// let text = "gpu-alloc trace 1\nprogram p\nrecorder r\ndevice d\ngranularity 1\natom 64\n\
///             types 0x1@0\nheaps 1024\nclass GpuOnly buffer 16 0x1 vertices\noperations 2\n\
///             0 256\n-0\n";
/// let trace = replay::decode(text)?;
/// assert_eq!(trace.allocation_count(), 1);
/// assert_eq!(replay::encode(&trace), text);
/// # Ok::<(), replay::TraceError>(())
/// ```
#[must_use]
pub fn encode(trace: &Trace) -> String {
    let mut text = String::new();
    write_header(&mut text, trace).expect("writing to a string does not fail");
    write_operations(&mut text, trace).expect("writing to a string does not fail");
    text
}

fn write_header(text: &mut String, trace: &Trace) -> std::fmt::Result {
    let device = trace.device();
    writeln!(text, "{FIRST_LINE}")?;
    writeln!(text, "program {}", trace.provenance().program)?;
    writeln!(text, "recorder {}", trace.provenance().recorder)?;
    writeln!(text, "device {}", device.name)?;
    writeln!(text, "granularity {}", device.buffer_image_granularity)?;
    writeln!(text, "atom {}", device.non_coherent_atom_size)?;
    text.push_str("types");
    for (flags, heap) in &device.memory_types {
        write!(text, " {flags:#x}@{heap}")?;
    }
    text.push_str("\nheaps");
    for size in &device.memory_heaps {
        write!(text, " {size}")?;
    }
    text.push('\n');
    for class in trace.classes() {
        writeln!(
            text,
            "class {} {} {} {:#x} {}",
            fields::location_word(class.location),
            match class.kind {
                Kind::Buffer => "buffer",
                Kind::Image => "image",
            },
            class.alignment,
            class.memory_type_bits,
            class.name,
        )?;
    }
    writeln!(text, "operations {}", trace.operations().len())
}

fn write_operations(text: &mut String, trace: &Trace) -> std::fmt::Result {
    let mut made = 0_usize;
    for operation in trace.operations() {
        match *operation {
            Operation::Allocate { class, size } => {
                made += 1;
                writeln!(text, "{class} {size}")?;
            }
            // Cannot underflow: a trace frees only what it made before.
            Operation::Free { allocation } => writeln!(text, "-{}", made - 1 - allocation)?,
        }
    }
    Ok(())
}

/// Reads the text of a trace.
///
/// # Errors
///
/// [`TraceError::Line`] with the first line that breaks a rule of the format.
pub fn decode(text: &str) -> Result<Trace, TraceError> {
    let mut lines = Lines::new(text);
    if lines.next() != Some(FIRST_LINE) {
        return Err(Problem::NotATrace { expected: FIRST_LINE }.at(1));
    }
    let provenance = Provenance {
        program: lines.expect("program")?.into(),
        recorder: lines.expect("recorder")?.into(),
    };
    let device = decode_device(&mut lines)?;
    let mut builder = TraceBuilder::new(provenance, device);
    let stated = loop {
        let line = lines.next().unwrap_or_default();
        if let Some(class) = line.strip_prefix("class ") {
            decode_class(class)
                .and_then(|class| builder.add_class(class))
                .map_err(|problem| lines.blame(problem))?;
        } else if let Some(count) = line.strip_prefix("operations ") {
            break fields::number(count, "operations").map_err(|problem| lines.blame(problem))?;
        } else {
            return Err(lines.blame(Problem::Expected { expected: "class` or `operations" }));
        }
    };
    let mut found = 0;
    while let Some(line) = lines.next() {
        found += 1;
        if found > stated {
            return Err(lines.blame(Problem::OperationCount { stated, found }));
        }
        decode_operation(&mut builder, line).map_err(|problem| lines.blame(problem))?;
    }
    if found < stated {
        return Err(lines.blame(Problem::OperationCount { stated, found }));
    }
    Ok(builder.finish())
}

fn decode_device(lines: &mut Lines<'_>) -> Result<RecordedDevice, TraceError> {
    Ok(RecordedDevice {
        name: lines.expect("device")?.into(),
        buffer_image_granularity: lines
            .expect("granularity")
            .and_then(|text| lines.check(fields::number(text, "granularity")))?,
        non_coherent_atom_size: lines
            .expect("atom")
            .and_then(|text| lines.check(fields::number(text, "atom")))?,
        memory_types: lines
            .expect("types")
            .and_then(|text| lines.check(fields::memory_types(text)))?,
        memory_heaps: lines
            .expect("heaps")
            .and_then(|text| lines.check(fields::memory_heaps(text)))?,
    })
}

fn decode_class(line: &str) -> Result<Class, Problem> {
    let mut parts = line.splitn(5, ' ');
    let mut part = |field| parts.next().ok_or(Problem::MissingField { field });
    Ok(Class {
        location: fields::location(part("location")?)?,
        kind: fields::kind(part("kind")?, ["buffer", "image"], "kind", "buffer, image")?,
        alignment: fields::number(part("alignment")?, "alignment")?,
        memory_type_bits: fields::bits(part("memory type bits")?, "memory type bits")?,
        name: part("name")?.into(),
    })
}

fn decode_operation(builder: &mut TraceBuilder, line: &str) -> Result<(), Problem> {
    if let Some(age) = line.strip_prefix('-') {
        let age = fields::number::<usize>(age, "age")?;
        let allocation = builder
            .allocation_count()
            .checked_sub(1)
            .and_then(|newest| newest.checked_sub(age))
            .ok_or(Problem::NotLive)?;
        return builder.free(allocation);
    }
    let (class, size) = line.split_once(' ').ok_or(Problem::MissingField { field: "size" })?;
    let class = fields::number(class, "class")?;
    builder.allocate(class, fields::number(size, "size")?)?;
    Ok(())
}

/// The lines of a text, and the number of the newest one.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    /// The number of the line that `next` returned last, counted from 1; the one behind the last
    /// line at the end.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { lines: text.lines(), number: 0 }
    }

    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    /// What stands behind the key of the next line, which has to begin with that key.
    fn expect(&mut self, key: &'static str) -> Result<&'a str, TraceError> {
        self.next()
            .and_then(|line| line.strip_prefix(key))
            // A table may be empty, then nothing stands behind the key.
            .and_then(|rest| rest.strip_prefix(' ').or(rest.is_empty().then_some(rest)))
            .ok_or_else(|| self.blame(Problem::Expected { expected: key }))
    }

    /// The error of a problem in the line that `next` returned last.
    fn blame(&self, problem: Problem) -> TraceError {
        problem.at(self.number)
    }

    fn check<T>(&self, result: Result<T, Problem>) -> Result<T, TraceError> {
        result.map_err(|problem| self.blame(problem))
    }
}
