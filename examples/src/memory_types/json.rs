//! Reading memory types out of the JSON that `vulkaninfo` writes.
//!
//! Basic design: versions of `vulkaninfo`, profiles and gpuinfo.org nest the memory properties
//! differently, write keys in different case, and flags as a number, a name or a list of names.
//! So the whole document is searched for the first object that has both types and heaps, and
//! whatever cannot be understood in it is an error, never a flag left out.

use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryType,
};
use serde_json::{Map, Value};
use thiserror::Error;

/// Why a JSON text was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is not JSON.
    #[error("not JSON: the error is in line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// No object has both `memoryTypes` and `memoryHeaps`.
    #[error("no object has both memoryTypes and memoryHeaps")]
    NoMemoryTypes,
    /// An entry of these lists lacks a number, or has something else in its place.
    #[error("entry {index} has no valid {key}")]
    NoNumber {
        /// The entry's index in its list.
        index: usize,
        /// The key, in lower case.
        key: &'static str,
    },
    /// An entry has flags that nobody knows by name.
    #[error("entry {index} has flags that are neither numbers nor names of Vulkan")]
    UnknownFlags {
        /// The entry's index in its list.
        index: usize,
    },
}

/// The device's name, if it has one, and its memory types and heaps.
pub(crate) fn read(text: &str) -> Result<(Option<String>, DeviceMemoryProperties), JsonError> {
    let document: Value = serde_json::from_str(text)
        .map_err(|error| JsonError::NotJson { line: error.line(), column: error.column() })?;
    let is_memory = |object: &Map<String, Value>| {
        list(object, "memorytypes").is_some() && list(object, "memoryheaps").is_some()
    };
    let memory = find_object(&document, &is_memory).ok_or(JsonError::NoMemoryTypes)?;
    let mut types = Vec::new();
    for (index, entry) in list(memory, "memorytypes").into_iter().flatten().enumerate() {
        let bits = flags(entry, "propertyflags", "MEMORY_PROPERTY_", &PROPERTIES)
            .ok_or(JsonError::UnknownFlags { index })?;
        let heap_index = number(entry, "heapindex").and_then(|value| u32::try_from(value).ok());
        types.push(MemoryType {
            property_flags: MemoryPropertyFlags::from_bits_retain(bits),
            heap_index: heap_index.ok_or(JsonError::NoNumber { index, key: "heapindex" })?,
        });
    }
    let mut heaps = Vec::new();
    for (index, entry) in list(memory, "memoryheaps").into_iter().flatten().enumerate() {
        let bits = flags(entry, "flags", "MEMORY_HEAP_", &HEAPS)
            .ok_or(JsonError::UnknownFlags { index })?;
        heaps.push(MemoryHeap {
            size: number(entry, "size").ok_or(JsonError::NoNumber { index, key: "size" })?,
            flags: MemoryHeapFlags::from_bits_retain(bits),
        });
    }
    let has_name = |object: &Map<String, Value>| get(object, "devicename").is_some();
    let name = find_object(&document, &has_name)
        .and_then(|object| get(object, "devicename")?.as_str().map(String::from));
    Ok((name, DeviceMemoryProperties::new(&types, &heaps)))
}

/// The names of property flags, without what they begin and end with.
const PROPERTIES: [(&str, u32); 9] = [
    ("DEVICE_LOCAL", 0x1),
    ("HOST_VISIBLE", 0x2),
    ("HOST_COHERENT", 0x4),
    ("HOST_CACHED", 0x8),
    ("LAZILY_ALLOCATED", 0x10),
    ("PROTECTED", 0x20),
    ("DEVICE_COHERENT", 0x40),
    ("DEVICE_UNCACHED", 0x80),
    ("RDMA_CAPABLE", 0x100),
];

/// The names of heap flags likewise.
const HEAPS: [(&str, u32); 3] = [("DEVICE_LOCAL", 0x1), ("MULTI_INSTANCE", 0x2), ("SEU_SAFE", 0x4)];

/// The first object, in the order of the document, for which `is_wanted` is true.
fn find_object<'a>(
    value: &'a Value,
    is_wanted: &dyn Fn(&Map<String, Value>) -> bool,
) -> Option<&'a Map<String, Value>> {
    match value {
        Value::Object(object) if is_wanted(object) => Some(object),
        Value::Object(object) => object.values().find_map(|inner| find_object(inner, is_wanted)),
        Value::Array(entries) => entries.iter().find_map(|inner| find_object(inner, is_wanted)),
        _ => None,
    }
}

/// A value by its key in lower case.
fn get<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Vec<Value>> {
    get(object, key)?.as_array()
}

/// A number, or one written as a string.
fn number(entry: &Value, key: &str) -> Option<u64> {
    let value = get(entry.as_object()?, key)?;
    value.as_u64().or_else(|| parse(value.as_str()?))
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Flags: a number, a name, names with `|` between them, or a list of names. None at all is 0.
fn flags(entry: &Value, key: &str, prefix: &str, names: &[(&str, u32)]) -> Option<u32> {
    let Some(value) = get(entry.as_object()?, key) else {
        return Some(0);
    };
    if let Some(bits) = value.as_u64() {
        return u32::try_from(bits).ok();
    }
    let words: Vec<&str> = match value {
        Value::String(text) => text.split('|').collect(),
        Value::Array(entries) => entries.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    words
        .into_iter()
        .map(|word| flag(word.trim(), prefix, names))
        .try_fold(0, |sum, bits| bits.map(|bits| sum | bits))
}

/// One flag by its name, with or without Vulkan's prefixes and suffixes, or as a number.
fn flag(word: &str, prefix: &str, names: &[(&str, u32)]) -> Option<u32> {
    if let Some(bits) = parse(word) {
        return u32::try_from(bits).ok();
    }
    let word = word.strip_prefix("VK_").unwrap_or(word);
    let word = word.strip_prefix(prefix).unwrap_or(word);
    let vendor = word.strip_suffix("_AMD").or(word.strip_suffix("_NV"));
    let word = vendor.or(word.strip_suffix("_KHR")).unwrap_or(word);
    let word = word.strip_suffix("_BIT").unwrap_or(word);
    match word {
        "" | "None" => Some(0),
        _ => names.iter().find(|(name, _)| *name == word).map(|&(_, bits)| bits),
    }
}
