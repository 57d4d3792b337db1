//! The program's allocator.

#![allow(unsafe_code, reason = "an allocator is called with unsafe functions")]

use std::alloc::{GlobalAlloc, Layout};

use mimalloc::MiMalloc;

use crate::refusal;

/// mimalloc. Memory that the system refuses is reported by [`crate::refusal`], before the standard library aborts.
#[derive(Debug)]
pub struct Allocator;

impl Allocator {
    fn known(memory: *mut u8, bytes: usize) -> *mut u8 {
        if memory.is_null() {
            refusal::report(bytes);
        }
        memory
    }
}

// SAFETY: mimalloc answers every call, with the arguments as they came.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::known(unsafe { MiMalloc.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::known(unsafe { MiMalloc.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::known(unsafe { MiMalloc.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { MiMalloc.dealloc(memory, layout) }
    }
}
