//! Collections in host arenas: what lives in them, what is refused, how blocks are placed.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator, Layout};
use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use buddy_core::{Arena, ArenaConfig, LockedArena};
use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::RawMutex;
use rstest::rstest;

/// Memory that starts on a page.
#[repr(align(4096))]
struct Pages<const N: usize>([MaybeUninit<u8>; N]);

impl<const N: usize> Pages<N> {
    fn new() -> std::boxed::Box<Self> {
        std::boxed::Box::new(Self([MaybeUninit::uninit(); N]))
    }
}

const CONFIG: ArenaConfig = ArenaConfig { min_block_size: 16, max_alignment: 4096 };

fn layout(size: usize, alignment: usize) -> Layout {
    Layout::from_size_align(size, alignment).unwrap()
}

fn address(block: NonNull<[u8]>) -> usize {
    block.cast::<u8>().addr().get()
}

#[track_caller]
fn check_collections(allocator: impl Allocator + Copy) {
    let mut squares = Vec::new_in(allocator);
    let mut names = HashMap::with_hasher_in(DefaultHashBuilder::default(), allocator);
    let mut boxes = Vec::new_in(allocator);
    for x in 0..1000_u64 {
        squares.push(x * x);
        names.insert(x, x.to_string());
        boxes.push(Box::new_in([x; 3], allocator));
    }
    names.retain(|x, _| x % 3 == 0);
    names.shrink_to_fit();
    squares.truncate(100);
    squares.shrink_to_fit();
    boxes.drain(..500);
    assert!(squares.iter().copied().eq((0..100).map(|x| x * x)));
    assert_eq!(names.len(), 334);
    assert!(names.iter().all(|(x, name)| *name == x.to_string()));
    assert!(boxes.iter().map(|held| **held).eq((500..1000).map(|x| [x; 3])));
    let text: Box<dyn Fn() -> usize, _> = {
        let held = Box::new_in(move || squares.len(), allocator);
        let (raw, allocator) = Box::into_raw_with_allocator(held);
        // SAFETY: both were one box just now; the pointer is the same, only wider.
        unsafe { Box::from_raw_in(raw as *mut dyn Fn() -> usize, allocator) }
    };
    assert_eq!(text(), 100);
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(7)]
#[case(4095)]
fn collections_live_in_an_arena_at_any_address(#[case] start: usize) {
    let mut pages = Pages::<{ 1 << 19 }>::new();
    let arena = Arena::new(&mut pages.0[start..], CONFIG).unwrap();
    let first = arena.largest_free_block();
    check_collections(&arena);
    assert!(arena.is_empty() && arena.stats().allocation_count == 0);
    assert_eq!(arena.largest_free_block(), first);
    assert_eq!(arena.validate(), Ok(()));
}

#[test]
fn collections_live_in_a_locked_arena() {
    let mut pages = Pages::<{ 1 << 19 }>::new();
    let arena = LockedArena::<RawMutex>::new(&mut pages.0, CONFIG).unwrap();
    check_collections(&arena);
    assert!(arena.is_empty());
    assert_eq!(arena.validate(), Ok(()));
}

#[test]
fn every_alignment_up_to_a_page_is_that_of_the_address() {
    let mut pages = Pages::<{ 1 << 16 }>::new();
    for start in [0, 1, 8, 33, 4095] {
        let arena = Arena::new(&mut pages.0[start..], CONFIG).unwrap();
        for shift in 0..=12 {
            // One before, so that not the start of the region is what is aligned.
            let small = (&arena).allocate(layout(1, 1)).unwrap();
            for size in [1, 3, 16, 100, 4096, 5000] {
                let layout = layout(size, 1 << shift);
                let block = (&arena).allocate(layout).unwrap();
                assert_eq!(address(block) % layout.align(), 0, "{layout:?}");
                assert_eq!(block.len(), size.next_power_of_two().max(16));
                assert!(address(block) != address(small));
                // SAFETY: the block was just allocated with this layout.
                unsafe { (&arena).deallocate(block.cast(), layout) };
            }
            // SAFETY: as above.
            unsafe { (&arena).deallocate(small.cast(), self::layout(1, 1)) };
        }
        for alignment in [8192, 1 << 40] {
            assert_eq!((&arena).allocate(layout(1, alignment)), Err(AllocError));
        }
        assert!(arena.is_empty());
    }
}

#[test]
fn a_larger_maximum_alignment_is_served_too() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 18];
    let config = ArenaConfig { min_block_size: 64, max_alignment: 1 << 16 };
    let arena = Arena::new(&mut memory, config).unwrap();
    let block = (&arena).allocate(layout(10, 1 << 16)).unwrap();
    assert_eq!(address(block) % (1 << 16), 0);
}

#[test]
fn an_alignment_above_the_maximum_is_refused_even_where_the_address_has_it() {
    let mut pages = Pages::<4096>::new();
    let mut words = [0; 1 << 7];
    let config = ArenaConfig { min_block_size: 16, max_alignment: 16 };
    let arena = &Arena::with_words(&mut pages.0, &mut words, config).unwrap();
    let old = layout(100, 16);
    let block = arena.allocate(old).unwrap();
    assert_eq!(address(block) % 4096, 0);
    // SAFETY: the block has the old layout, and the new one is larger.
    let grown = unsafe { arena.grow(block.cast(), old, layout(200, 32)) };
    assert_eq!(grown, Err(AllocError));
    // SAFETY: the block has the old layout still, and the new one is smaller.
    let shrunk = unsafe { arena.shrink(block.cast(), old, layout(50, 32)) };
    assert_eq!(shrunk, Err(AllocError));
    assert_eq!((arena.stats().allocation_count, arena.stats().allocated_size), (1, 128));
}

#[test]
fn requests_of_zero_bytes_take_nothing() {
    let mut pages = Pages::<8192>::new();
    let arena = &Arena::new(&mut pages.0, CONFIG).unwrap();
    for shift in [0, 3, 12, 20] {
        let empty = layout(0, 1 << shift);
        let block = arena.allocate(empty).unwrap();
        assert_eq!((block.len(), address(block) % empty.align()), (0, 0));
        // SAFETY: the block has this layout.
        let block = unsafe { arena.shrink(block.cast(), empty, empty) }.unwrap();
        let one = layout(1, 1);
        // SAFETY: the block has this layout, and one byte is more than none.
        let block = unsafe { arena.grow_zeroed(block.cast(), empty, one) }.unwrap();
        assert_eq!(arena.stats().allocation_count, 1);
        // SAFETY: the arena has just made the block, zeroed in its whole length.
        assert!(unsafe { block.as_ref() }.iter().all(|&byte| byte == 0) && block.len() == 16);
        // SAFETY: the block has this layout, and none are fewer than one.
        let block = unsafe { arena.shrink(block.cast(), one, empty) }.unwrap();
        assert_eq!((block.len(), address(block) % empty.align()), (0, 0));
        assert!(arena.is_empty());
        // SAFETY: the block has this layout.
        unsafe { arena.deallocate(block.cast(), empty) };
    }
    let mut units = Vec::new_in(arena);
    units.extend([(); 1000]);
    let _unit = Box::new_in((), arena);
    assert!(arena.is_empty());
}

#[test]
fn a_vector_alone_grows_and_shrinks_without_moving() {
    let mut pages = Pages::<{ 1 << 16 }>::new();
    let mut words = [0; 1 << 10];
    let arena = Arena::with_words(&mut pages.0, &mut words, CONFIG).unwrap();
    let mut bytes = Vec::<u8, _>::with_capacity_in(1, &arena);
    let start = bytes.as_ptr();
    for x in 0..1 << 16 {
        bytes.push((x % 251) as u8);
    }
    assert_eq!((bytes.as_ptr(), bytes.capacity()), (start, 1 << 16));
    assert_eq!(arena.largest_free_block(), 0);
    assert!(bytes.try_reserve(1).is_err());
    assert!(bytes.iter().enumerate().all(|(x, &byte)| usize::from(byte) == x % 251));
    bytes.truncate(100);
    bytes.shrink_to_fit();
    assert_eq!(bytes.as_ptr(), start);
    // What was given back is the other halves, which the next ones get.
    assert_eq!(arena.largest_free_block(), 1 << 15);
    assert_eq!(arena.stats().allocated_size, 128);
    assert_eq!(arena.validate(), Ok(()));
}

#[test]
fn a_block_that_needs_more_alignment_moves_when_it_shrinks() {
    let mut pages = Pages::<{ 1 << 14 }>::new();
    let mut words = [0; 1 << 8];
    let arena = &Arena::with_words(&mut pages.0, &mut words, CONFIG).unwrap();
    let (small, large) = (layout(32, 1), layout(64, 1));
    let first = arena.allocate(small).unwrap();
    let block = arena.allocate(large).unwrap();
    assert_eq!(address(block) - address(first), 64);
    // SAFETY: the arena has just made the block.
    unsafe { block.cast::<[u8; 64]>().write([7; 64]) };
    let aligned = layout(48, 1024);
    // SAFETY: the block has the old layout, and the new one is smaller.
    let moved = unsafe { arena.shrink(block.cast(), large, aligned) }.unwrap();
    assert_eq!(address(moved) % 1024, 0);
    // SAFETY: the arena has just moved 48 bytes there.
    assert_eq!(unsafe { moved.cast::<[u8; 48]>().read() }, [7; 48]);
    // SAFETY: the block has the old layout, and the new one is smaller.
    let refused = unsafe { arena.shrink(moved.cast(), aligned, layout(40, 8192)) };
    assert_eq!(refused, Err(AllocError));
    assert_eq!(arena.stats().allocation_count, 2);
}

#[test]
fn exhaustion_is_refused_and_nothing_changes() {
    let mut pages = Pages::<{ 1 << 13 }>::new();
    let mut words = [0; 1 << 8];
    let arena = &Arena::with_words(&mut pages.0, &mut words, CONFIG).unwrap();
    let mut blocks = std::vec::Vec::new();
    let mut mark = 0_u8;
    while let Ok(block) = arena.allocate(layout(100, 4)) {
        // SAFETY: the arena has just made the block.
        unsafe { block.cast::<[u8; 100]>().write([mark; 100]) };
        blocks.push(block);
        mark += 1;
    }
    assert_eq!(blocks.len(), (1 << 13) / 128);
    let full = arena.stats();
    for refused in [layout(1, 1), layout(1 << 13, 1), layout(isize::MAX as usize, 1)] {
        assert_eq!(arena.allocate(refused), Err(AllocError));
        assert_eq!(arena.allocate_zeroed(refused), Err(AllocError));
    }
    for new in [layout(129, 4), layout(1 << 20, 4), layout(110, 8192)] {
        // SAFETY: the block has the old layout, and the new one is larger.
        let grown = unsafe { arena.grow(blocks[1].cast(), layout(100, 4), new) };
        assert_eq!(grown, Err(AllocError));
        // SAFETY: as above.
        let grown = unsafe { arena.grow_zeroed(blocks[1].cast(), layout(100, 4), new) };
        assert_eq!(grown, Err(AllocError));
    }
    assert_eq!(arena.stats(), full);
    assert_eq!(arena.validate(), Ok(()));
    for (block, mark) in blocks.into_iter().zip(0_u8..) {
        // SAFETY: the block was written when it was made.
        assert_eq!(unsafe { block.cast::<[u8; 100]>().read() }, [mark; 100]);
        // SAFETY: any size from the one asked for up to the block's fits.
        unsafe { arena.deallocate(block.cast(), layout(100 + usize::from(mark % 29), 4)) };
    }
    assert!(arena.is_empty());
    assert_eq!(arena.largest_free_block(), 1 << 13);
}

#[test]
#[should_panic(expected = "no block of 128 bytes is allocated at offset")]
fn a_block_that_is_freed_twice_panics() {
    let mut pages = Pages::<8192>::new();
    let arena = &Arena::new(&mut pages.0, CONFIG).unwrap();
    let block = arena.allocate(layout(100, 1)).unwrap();
    for _ in 0..2 {
        // SAFETY: right for the first time; the second is what the arena promises to find.
        unsafe { arena.deallocate(block.cast(), layout(100, 1)) };
    }
}

#[test]
#[should_panic(expected = "contract of `Allocator`")]
fn growing_another_arenas_block_panics() {
    let (mut pages, mut others) = (Pages::<8192>::new(), Pages::<8192>::new());
    let arena = &Arena::new(&mut pages.0, CONFIG).unwrap();
    let other = &Arena::new(&mut others.0, CONFIG).unwrap();
    let block = other.allocate(layout(100, 1)).unwrap();
    // SAFETY: it is another arena's, which is what the arena promises to find.
    let _ = unsafe { arena.grow(block.cast(), layout(100, 1), layout(200, 1)) };
}

#[test]
fn a_reset_frees_what_was_leaked() {
    let mut pages = Pages::<8192>::new();
    let mut arena = Arena::new(&mut pages.0, CONFIG).unwrap();
    let first = arena.largest_free_block();
    for round in 0..100 {
        let leaked = Box::leak(Box::new_in([round; 512], &arena));
        assert_eq!(leaked[511], round);
        arena.reset();
        assert!(arena.is_empty() && arena.largest_free_block() == first);
    }
    let mut words = [0; 256];
    let mut arena = LockedArena::<RawMutex>::with_words(&mut pages.0, &mut words, CONFIG).unwrap();
    std::mem::forget(Box::new_in(1, &arena));
    arena.reset();
    assert_eq!((arena.is_empty(), arena.largest_free_block()), (true, 8192));
}

#[test]
fn arenas_go_to_other_threads_and_the_locked_one_is_shared() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Arena<'_>>();
    is_send::<LockedArena<'_, RawMutex>>();
    is_sync::<LockedArena<'_, RawMutex>>();
    let mut pages = Pages::<8192>::new();
    let arena = Arena::new(&mut pages.0, CONFIG).unwrap();
    let moved = std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            assert_eq!(*Box::new_in(5, &arena), 5);
            arena
        });
        thread.join()
    });
    let arena = moved.unwrap();
    assert_eq!(*Box::new_in(6, &arena), 6);
    let text = format!("{arena:?}");
    assert!(text.starts_with("Arena {") && text.contains("max_alignment: 4096"), "{text}");
}
