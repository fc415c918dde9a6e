//! WebAssembly with `simd128`, which a module either is built with or does without.

use core::arch::wasm32::{
    i8x16_shuffle, i8x16_swizzle, u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_shr, u8x16_splat,
    u8x16_sub_sat, v128, v128_and, v128_load, v128_or, v128_xor,
};

use super::{super::blocks, Cpu, ESCAPES_HIGH, ESCAPES_LOW, Lanes, Shuffle, WHITE_SPACE, utf8};

#[derive(Clone, Copy)]
struct Simd128(v128);

impl Lanes for Simd128 {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: as promised by the caller; there is no alignment to keep.
        Self(unsafe { v128_load(from.cast()) })
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> Self {
        Self(u8x16_eq(self.0, u8x16_splat(byte)))
    }

    #[inline(always)]
    fn control(self) -> Self {
        Self(u8x16_lt(self.0, u8x16_splat(0x20)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(v128_or(self.0, other.0))
    }

    #[inline(always)]
    fn with(self, bits: u8) -> Self {
        Self(v128_or(self.0, u8x16_splat(bits)))
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from(u8x16_bitmask(self.0))
    }

    #[inline(always)]
    fn white_space(self) -> Self {
        Self(u8x16_eq(self.0, self.low().look_up(&WHITE_SPACE).0))
    }

    #[inline(always)]
    fn escapes(self) -> (Self, Self) {
        let classes = self.low().look_up(&ESCAPES_LOW).and(self.high().look_up(&ESCAPES_HIGH));
        let class = |bits| Self(u8x16_lt(u8x16_splat(0), v128_and(classes.0, u8x16_splat(bits))));
        (class(0x0f), class(0x30))
    }
}

impl Shuffle for Simd128 {
    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self(u8x16_splat(byte))
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16]) -> Self {
        // SAFETY: the table has the 16 bytes that are read.
        let table = unsafe { v128_load(table.as_ptr().cast()) };
        Self(i8x16_swizzle(table, self.0))
    }

    #[inline(always)]
    fn high(self) -> Self {
        Self(u8x16_shr(self.0, 4))
    }

    #[inline(always)]
    fn low(self) -> Self {
        Self(v128_and(self.0, u8x16_splat(0x0f)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }

    #[inline(always)]
    fn minus(self, byte: u8) -> Self {
        Self(u8x16_sub_sat(self.0, u8x16_splat(byte)))
    }

    #[inline(always)]
    fn in_front(self, before: Self) -> [Self; 3] {
        [
            Self(i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(
                before.0, self.0,
            )),
            Self(i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(
                before.0, self.0,
            )),
            Self(i8x16_shuffle::<13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28>(
                before.0, self.0,
            )),
        ]
    }
}

/// The module is built with the instructions, or this file would not be part of it.
#[inline(always)]
const fn cpu() -> Cpu<Simd128> {
    // SAFETY: see above.
    unsafe { Cpu::new() }
}

pub(super) fn container(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    blocks::container(cpu(), text, at, depth)
}

pub(super) fn plain(text: &[u8], at: usize) -> usize {
    super::plain(cpu(), text, at)
}

pub(super) fn is_utf8(text: &[u8]) -> bool {
    utf8::is_utf8(cpu(), text)
}

#[cfg(test)]
pub(in crate::json) fn ways() -> alloc::vec::Vec<super::Way> {
    alloc::vec![super::Way { name: "simd128", container, plain, is_utf8 }]
}
