//! What a replay showed, as text.

use std::fmt;

use crate::books::NotEmpty;
use crate::figures::Figures;
use crate::outcome::Outcome;
use crate::plot::plot;
use crate::trace::Trace;
use crate::words::{count, grouped, mib, things};

/// The device that a trace was replayed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The device's name.
    pub device_name: Box<str>,
    /// The driver's name; empty when it has none.
    pub driver_name: Box<str>,
    /// Major and minor number of the Vulkan version that was used.
    pub api_version: (u32, u32),
    /// `maxMemoryAllocationCount`.
    pub max_memory_allocation_count: u32,
    /// Whether the validation layer watched.
    pub validation: Watched,
}

/// Whether the validation layer watched a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watched {
    /// It was switched off.
    #[default]
    Off,
    /// It is not installed.
    Missing,
    /// It was on, with or without synchronization validation.
    On {
        /// Whether it checked synchronization too.
        synchronization: bool,
    },
}

/// A replay and its surroundings. `Display` writes the summary for people.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The name that the trace goes by.
    pub trace_name: &'a str,
    /// The trace.
    pub trace: &'a Trace,
    /// The device.
    pub machine: &'a Machine,
    /// What the replay did.
    pub outcome: &'a Outcome,
    /// What the allocator still held after everything was freed.
    pub not_empty: Option<&'a NotEmpty>,
    /// Messages of the validation layer, those at the device's destruction included.
    pub message_count: usize,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = Figures::of(self.outcome);
        write_rows(f, self.surroundings())?;
        writeln!(f)?;
        for line in plot(&self.outcome.timeline) {
            writeln!(f, "  {line}")?;
        }
        writeln!(
            f,
            "  MiB after each operation: █ live, ░ committed and not live; the highest of each column"
        )?;
        writeln!(f)?;
        write_rows(f, self.memory(&figures))?;
        write_rows(f, self.calls(&figures))?;
        write_rows(f, self.speed(&figures))?;
        write_rows(f, self.checks())
    }
}

/// A label, and what belongs to it.
type Row = (&'static str, String);

/// A few rows, each with its label or under that of the row before.
fn write_rows<const N: usize>(f: &mut fmt::Formatter<'_>, rows: [Row; N]) -> fmt::Result {
    rows.iter().try_for_each(|(label, text)| writeln!(f, "  {label:<13}{text}"))
}

impl Report<'_> {
    fn surroundings(&self) -> [Row; 5] {
        let (machine, outcome) = (self.machine, self.outcome);
        let provenance = self.trace.provenance();
        let (major, minor) = machine.api_version;
        let driver = match &*machine.driver_name {
            "" => "a driver without a name",
            name => name,
        };
        let program = format!("{}: {}", self.trace_name, provenance.program);
        let recorder = provenance.recorder.to_string();
        let replayed = format!("{}, {driver}, Vulkan {major}.{minor}", machine.device_name);
        let operations = format!(
            "{} of {}: {} buffers and {} images created, bound and destroyed",
            count(outcome.operations),
            count(self.trace.operations().len()),
            count(outcome.buffer_count),
            count(outcome.image_count),
        );
        [
            ("trace", program),
            ("recorded on", self.trace.device().name.to_string()),
            ("", recorder),
            ("replayed on", replayed),
            ("operations", operations),
        ]
    }

    fn memory(&self, figures: &Figures) -> [Row; 5] {
        let outcome = self.outcome;
        let (mean, peak) = (outcome.timeline.mean(), outcome.timeline.peak());
        let bytes = |committed, live, ratio: f64| {
            let (committed, live) = (mib(committed), mib(live));
            format!("{committed} MiB committed, {live} MiB live ({ratio:.2} x)")
        };
        let waste = format!(
            "{:.1} % of the mean committed: {:.1} % rounding, {:.1} % free in blocks",
            figures.rounding_percent + figures.free_percent,
            figures.rounding_percent,
            figures.free_percent
        );
        let blocks = format!(
            "at most {} at once; {} had memory of their own, at most {} at once",
            count(peak.block_count),
            things(outcome.dedicated_count, "resource"),
            count(peak.dedicated_count)
        );
        let resources = format!(
            "{} MiB in all on this device, {} MiB where the trace was recorded",
            mib(outcome.required_bytes),
            mib(outcome.recorded_bytes)
        );
        [
            ("peak", bytes(peak.committed, peak.live, figures.peak_per_live)),
            ("mean", bytes(mean.committed, mean.live, figures.committed_per_live)),
            ("waste", waste),
            ("blocks", blocks),
            ("resources", resources),
        ]
    }

    fn calls(&self, figures: &Figures) -> [Row; 2] {
        let outcome = self.outcome;
        let calls = format!(
            "{} vkAllocateMemory; without an allocator {} ({:.0} x)",
            grouped(outcome.device_allocations),
            count(outcome.allocation_count()),
            figures.calls_saved
        );
        let at_once = outcome.timeline.peak().live_count;
        let limit = self.machine.max_memory_allocation_count;
        let verdict = if at_once as u64 > u64::from(limit) { ", which is too many" } else { "" };
        let objects = format!(
            "and {} memory objects at once, of {} that the device allows{verdict}",
            count(at_once),
            grouped(limit.into())
        );
        [("driver calls", calls), ("", objects)]
    }

    fn speed(&self, figures: &Figures) -> [Row; 2] {
        let outcome = self.outcome;
        let inside = match self.machine.validation {
            Watched::On { .. } => "allocator, driver and validation layer",
            Watched::Off | Watched::Missing => "allocator and driver",
        };
        let all = format!(
            "{} operations a second, writing and verifying included ({:.2} s)",
            grouped(figures.operations_per_second),
            outcome.wall_time.as_secs_f64()
        );
        let alone = format!(
            "{} a second in {inside} alone ({:.2} s)",
            grouped(figures.inside_per_second),
            outcome.inside_time.as_secs_f64()
        );
        [("speed", all), ("", alone)]
    }

    fn checks(&self) -> [Row; 4] {
        let outcome = self.outcome;
        let (written, mapped) = (mib(outcome.written_bytes), mib(outcome.mapped_bytes));
        let written = format!("{written} MiB, of {mapped} MiB that the host reaches");
        let verified = mib(outcome.verified_bytes);
        let verified = format!("{verified} MiB read back before destruction, all of it right");
        let freed = match (self.not_empty, outcome.left_over_count) {
            (Some(rest), _) => format!("not everything: {rest}"),
            (None, 0) => "everything; no device memory is left".into(),
            (None, left) => format!(
                "everything, {} that lived at the end included; no device memory is left",
                count(left)
            ),
        };
        let validation = match self.machine.validation {
            Watched::Off => "switched off".into(),
            Watched::Missing => "the layer is not installed; run `cargo xtask setup`".into(),
            Watched::On { synchronization } => format!(
                "{}, device destruction included{}",
                things(self.message_count, "message"),
                if synchronization { "; synchronization checked too" } else { "" }
            ),
        };
        [("written", written), ("verified", verified), ("freed", freed), ("validation", validation)]
    }
}
