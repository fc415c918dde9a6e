//! An allocator that counts.
#![expect(unsafe_code, reason = "an allocator can only be written so")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static MOVED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with counts of live bytes, of their peak, and of bytes allocated or
/// freed. A program uses it as its `#[global_allocator]`.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        MOVED.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        MOVED.fetch_add(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Live bytes.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

/// Bytes allocated or freed so far. A block that grows counts twice, with its copy.
pub fn moved() -> usize {
    MOVED.load(Relaxed)
}

/// The most bytes that were live since this was called last.
pub fn take_peak() -> usize {
    PEAK.swap(live(), Relaxed)
}
