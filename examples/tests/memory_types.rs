//! What `memory-types` prints: of tables, of JSON in all its shapes, of a real driver, and the page
//! in the documentation of memtype-select.

use examples::memory_types::{Device, JsonError, page, report, table_names, usual_requests};
use memtype_select::{MemoryTypeSelector, Verdict};
use rstest::rstest;

#[test]
fn the_page_in_the_documentation_is_what_the_program_prints() {
    let written = include_str!("../../crates/memtype-select/src/three_gpus.md");
    assert!(
        written == page(),
        "cargo run -p examples --bin memory-types -- --page > \
         crates/memtype-select/src/three_gpus.md"
    );
}

#[test]
fn every_table_serves_every_usual_request() {
    assert!(table_names().count() >= 30);
    for name in table_names() {
        let device = Device::from_table(name).unwrap();
        let report = report(&device);
        assert!(report.starts_with(&format!("{name}\n")), "{report}");
        let chosen = report.matches("  chosen  ").count();
        assert_eq!(chosen, report.matches("best first: ").count());
        // A gibibyte that both sides touch is the one thing that may be too much.
        assert!(chosen + 1 >= usual_requests().len(), "{report}");
    }
}

#[rstest]
#[case::part_of_a_name("gtx 1650", Ok("NVIDIA GeForce GTX 1650"))]
#[case::whole_name("Apple M2", Ok("Apple M2"))]
#[case::unknown("Voodoo 2", Err("no table is named \"Voodoo 2\"; --list names them"))]
#[case::several("Apple", Err("\"Apple\" is in the names of several: Apple M1 (G13G A0), Apple M2"))]
fn tables_are_found_by_name(#[case] name: &str, #[case] expected: Result<&str, &str>) {
    let found = Device::from_table(name).map(|device| device.name);
    assert_eq!(found.as_deref().map_err(String::as_str), expected);
}

/// A unified device, in the words of `vulkaninfo --json` before it wrote profiles.
const NUMBERS: &str = r#"{
    "VkPhysicalDeviceProperties": { "deviceName": "Some GPU", "apiVersion": 4206592 },
    "VkPhysicalDeviceMemoryProperties": {
        "memoryHeaps": [{ "flags": 1, "size": 8589934592 }, { "flags": 0, "size": 4096 }],
        "memoryTypes": [{ "heapIndex": 0, "propertyFlags": 1 },
                        { "heapIndex": 1, "propertyFlags": 206 }]
    }
}"#;

/// The same by names, nested as in a profile.
const NAMES: &str = r#"{ "capabilities": { "device": { "properties": {
    "VkPhysicalDeviceProperties": { "deviceName": "Some GPU" },
    "VkPhysicalDeviceMemoryProperties": {
        "memoryTypeCount": 2,
        "memoryTypes": [
            { "propertyFlags": ["VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT"], "heapIndex": 0 },
            { "propertyFlags": ["MEMORY_PROPERTY_HOST_VISIBLE_BIT",
                "VK_MEMORY_PROPERTY_HOST_COHERENT_BIT", "HOST_CACHED",
                "MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD",
                "VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD"], "heapIndex": 1 } ],
        "memoryHeaps": [ { "size": "0x200000000", "flags": "MEMORY_HEAP_DEVICE_LOCAL_BIT" },
            { "size": "4096", "flags": [] } ]
    } } } } }"#;

/// The same in small letters, as gpuinfo.org has it, and in a list of devices.
const SMALL: &str = r#"[{ "devicename": "Some GPU", "memory": {
    "memoryheaps": [{ "flags": "VK_MEMORY_HEAP_DEVICE_LOCAL_BIT", "size": 8589934592 },
        { "size": 4096 }],
    "memorytypes": [{ "heapindex": 0, "propertyflags": "DEVICE_LOCAL" },
        { "heapindex": 1, "propertyflags": "HOST_VISIBLE | HOST_COHERENT | HOST_CACHED | 0xc0" }]
} }]"#;

#[rstest]
#[case::numbers(NUMBERS)]
#[case::names(NAMES)]
#[case::small_letters(SMALL)]
fn json_is_read_in_the_shapes_that_there_are(#[case] text: &str) {
    let device = Device::from_json(text, "a file").unwrap();
    assert_eq!((&*device.name, &*device.source), ("Some GPU", "a file"));
    let types: Vec<(u32, u32)> = device
        .properties
        .memory_types
        .iter()
        .map(|memory_type| (memory_type.property_flags.bits(), memory_type.heap_index))
        .collect();
    assert_eq!(types, [(1, 0), (206, 1)]);
    let heaps: Vec<(u64, u32)> =
        device.properties.memory_heaps.iter().map(|heap| (heap.size, heap.flags.bits())).collect();
    assert_eq!(heaps, [(8 << 30, 1), (4096, 0)]);
    assert!(report(&device).contains("nobody asked for coherent-amd uncached-amd"));
}

#[rstest]
#[case::empty("", JsonError::NotJson { line: 1, column: 0 })]
#[case::cut_off("{\n\"memoryTypes\":", JsonError::NotJson { line: 2, column: 14 })]
#[case::no_memory(r#"{"a": [1, {"memoryTypes": []}]}"#, JsonError::NoMemoryTypes)]
#[case::not_a_list(r#"{"memoryTypes": 1, "memoryHeaps": []}"#, JsonError::NoMemoryTypes)]
#[case::no_heap_index(r#"{"memoryTypes": [{"propertyFlags": 1}], "memoryHeaps": []}"#,
    JsonError::NoNumber { index: 0, key: "heapindex" })]
#[case::large_heap_index(
    r#"{"memoryTypes": [{"propertyFlags": 1, "heapIndex": 4294967296}], "memoryHeaps": []}"#,
    JsonError::NoNumber { index: 0, key: "heapindex" })]
#[case::negative_size(r#"{"memoryTypes": [], "memoryHeaps": [{"size": 1}, {"size": -1}]}"#,
    JsonError::NoNumber { index: 1, key: "size" })]
#[case::unknown_flag(
    r#"{"memoryTypes": [{"propertyFlags": ["SHINY"], "heapIndex": 0}], "memoryHeaps": []}"#,
    JsonError::UnknownFlags { index: 0 })]
#[case::entry_is_a_number(r#"{"memoryTypes": [7], "memoryHeaps": []}"#,
    JsonError::UnknownFlags { index: 0 })]
fn json_that_makes_no_sense_is_refused(#[case] text: &str, #[case] expected: JsonError) {
    assert_eq!(Device::from_json(text, "a file"), Err(expected));
}

#[test]
fn a_device_without_types_is_reported() {
    let device = Device::from_json(r#"{"memoryTypes": [], "memoryHeaps": []}"#, "a file").unwrap();
    assert_eq!(device.name, "a device without a name");
    assert!(report(&device).contains("the device has no memory types"));
}

/// lavapipe has one type, which is all there is to choose.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn the_report_of_this_machine_is_of_what_its_driver_says() {
    let device = Device::of_this_machine().unwrap();
    let selector = MemoryTypeSelector::new(device.properties.clone());
    let report = report(&device);
    print!("{report}");
    for (name, request) in usual_requests() {
        let explanation = selector.explain(&request);
        assert!(report.contains(&format!("\n{name}\n{explanation}\n")), "{name}");
        assert_eq!(explanation.len(), device.properties.memory_types.len());
        if let [only] = explanation[..] {
            assert_eq!(only.verdict, Verdict::Chosen { runner_up: None });
            assert!(report.contains("chosen   the only one\nbest first: 0"));
        }
    }
}
