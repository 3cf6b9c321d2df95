//! Structures chained by `pNext`.

use std::ffi::c_void;

use ash::vk;

/// The first structure of type `s_type` in a chain, or null.
///
/// # Safety
///
/// 1. `next` is null or the start of a valid chain.
pub(super) unsafe fn find(next: *const c_void, s_type: vk::StructureType) -> *const c_void {
    let mut next = next.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: clause 1: each structure of a chain begins with the fields of `BaseInStructure`.
    while let Some(structure) = unsafe { next.as_ref() } {
        if structure.s_type == s_type {
            break;
        }
        next = structure.p_next;
    }
    next.cast()
}

/// The structure of type `T` in a chain, to be read.
///
/// # Safety
///
/// 1. `next` is null or the start of a valid chain that lives as long as `'a`.
pub(super) unsafe fn read<'a, T: vk::TaggedStructure>(next: *const c_void) -> Option<&'a T> {
    // SAFETY: clause 1.
    let found = unsafe { find(next, T::STRUCTURE_TYPE) };
    // SAFETY: clause 1, and the type is the one that `sType` says.
    unsafe { found.cast::<T>().as_ref() }
}

/// The structure of type `T` in a chain, to be written.
///
/// # Safety
///
/// 1. `next` is null or the start of a valid chain that may be written for as long as `'a`.
/// 2. Nothing else refers to the structure in that time.
pub(super) unsafe fn write<'a, T: vk::TaggedStructure>(next: *mut c_void) -> Option<&'a mut T> {
    // SAFETY: clause 1.
    let found = unsafe { find(next, T::STRUCTURE_TYPE) };
    // SAFETY: clauses 1 and 2; the pointer comes from one that may be written.
    unsafe { found.cast_mut().cast::<T>().as_mut() }
}
