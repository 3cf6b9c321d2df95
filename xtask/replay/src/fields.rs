//! The fields that both text formats share: numbers, the device's tables, words.

use std::str::FromStr;

use crate::error::Problem;
use crate::trace::{Kind, Location};

/// A decimal number.
pub(crate) fn number<T: FromStr>(text: &str, field: &'static str) -> Result<T, Problem> {
    if text.is_empty() {
        return Err(Problem::MissingField { field });
    }
    text.parse().map_err(|_| Problem::NotANumber { field })
}

/// A hexadecimal number with `0x` before it.
pub(crate) fn bits(text: &str, field: &'static str) -> Result<u32, Problem> {
    if text.is_empty() {
        return Err(Problem::MissingField { field });
    }
    text.strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or(Problem::NotANumber { field })
}

/// Memory types, as `flags@heap` with spaces between.
pub(crate) fn memory_types(text: &str) -> Result<Vec<(u32, u32)>, Problem> {
    text.split_whitespace()
        .map(|pair| {
            let (flags, heap) =
                pair.split_once('@').ok_or(Problem::MissingField { field: "heap" })?;
            Ok((bits(flags, "types")?, number(heap, "types")?))
        })
        .collect()
}

/// Heap sizes in bytes, with spaces between.
pub(crate) fn memory_heaps(text: &str) -> Result<Vec<u64>, Problem> {
    text.split_whitespace().map(|size| number(size, "heaps")).collect()
}

/// A location in the recorded programs' words.
pub(crate) fn location(text: &str) -> Result<Location, Problem> {
    match text {
        "GpuOnly" => Ok(Location::GpuOnly),
        "CpuToGpu" => Ok(Location::CpuToGpu),
        "GpuToCpu" => Ok(Location::GpuToCpu),
        _ => Err(Problem::UnknownWord { field: "location", words: "GpuOnly, CpuToGpu, GpuToCpu" }),
    }
}

/// The word of a location.
pub(crate) fn location_word(location: Location) -> &'static str {
    match location {
        Location::GpuOnly => "GpuOnly",
        Location::CpuToGpu => "CpuToGpu",
        Location::GpuToCpu => "GpuToCpu",
    }
}

/// A kind by one of the two words that a format has for buffers and images.
pub(crate) fn kind(
    text: &str,
    [buffer, image]: [&str; 2],
    field: &'static str,
    words: &'static str,
) -> Result<Kind, Problem> {
    if text == buffer {
        Ok(Kind::Buffer)
    } else if text == image {
        Ok(Kind::Image)
    } else {
        Err(Problem::UnknownWord { field, words })
    }
}
