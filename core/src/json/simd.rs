//! The instructions that look at many bytes at once: the only unsafe code of the crate.
//!
//! Two promises carry it, each made once. Lanes exist only where the processor has their
//! instructions: they come from a [`Cpu`], and whoever makes a `Cpu` has asked for them. And lanes
//! are loaded only from within a block. With `std`, x86-64 is asked at run time for AVX2; SSE2 is
//! part of x86-64. WebAssembly has `simd128` if it is built with it. Everything else is `portable`.
//! Which way is taken shows in nothing but time.
#![expect(unsafe_code, reason = "instructions of the processor, see above")]
#![expect(clippy::inline_always, reason = "the instruction set is that of the caller")]

mod utf8;

use core::{marker::PhantomData, str::Utf8Error};

use super::{
    InvalidJson,
    blocks::{Block, EscapeMasks, Isa, StringMasks, TokenMasks},
    scan,
};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "simd/wasm.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "simd/x86.rs"]
mod arch;

/// As [`scan::container`], with the same answers, faster.
pub(super) fn container(text: &[u8], at: usize, depth: usize) -> Result<usize, InvalidJson> {
    match arch::container(text, at, depth) {
        Some(end) => Ok(end),
        // There is a fault to be found.
        None => scan::container(text, at, depth),
    }
}

/// As [`scan::string`], with the same answers, faster.
#[inline]
pub(super) fn string(text: &[u8], at: usize) -> Result<(usize, bool), InvalidJson> {
    scan::string_by(text, at, arch::plain)
}

/// As [`str::from_utf8`], with the same answers, faster.
pub(super) fn to_str(text: &[u8]) -> Result<&str, Utf8Error> {
    if arch::is_utf8(text) {
        // SAFETY: just checked.
        return Ok(unsafe { str::from_utf8_unchecked(text) });
    }
    str::from_utf8(text)
}

/// Some bytes in a register. Comparisons set all bits of a byte, or none.
trait Lanes: Copy {
    const COUNT: usize;

    /// # Safety
    ///
    /// The processor has the instructions, and `COUNT` bytes can be read from `from` on.
    unsafe fn load(from: *const u8) -> Self;
    fn equal(self, byte: u8) -> Self;
    /// Bytes below 0x20.
    fn control(self) -> Self;
    fn or(self, other: Self) -> Self;
    /// Sets bits in every byte.
    fn with(self, bits: u8) -> Self;
    /// The highest bit of every byte.
    fn bits(self) -> u64;
    fn white_space(self) -> Self;
    /// The second bytes of escapes of two bytes, and hex digits.
    fn escapes(self) -> (Self, Self);
    /// Each bit is the parity of the bits up to it.
    ///
    /// # Safety
    ///
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn parity(bits: u64) -> u64 {
        let mut parity = bits;
        for shift in [1, 2, 4, 8, 16, 32] {
            parity ^= parity << shift;
        }
        parity
    }
}

/// Lanes that can be used as sixteen-fold indexes.
trait Shuffle: Lanes {
    /// Every byte.
    ///
    /// # Safety
    ///
    /// The processor has the instructions.
    unsafe fn splat(byte: u8) -> Self;
    /// For every byte the entry at its low four bits; 0, or that entry, if its highest bit is set.
    fn look_up(self, table: &[u8; 16]) -> Self;
    /// The high four bits of every byte.
    fn high(self) -> Self;
    /// The low four bits of every byte.
    fn low(self) -> Self;
    fn and(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// No lower than 0.
    fn minus(self, byte: u8) -> Self;
    /// The bytes that stand one, two and three places in front of these, which follow `before`.
    fn in_front(self, before: Self) -> [Self; 3];
}

/// White space at the places of its low four bits; elsewhere what no byte with these low bits is.
const WHITE_SPACE: [u8; 16] = [b' ', 0, 0, 0, 0, 0, 0, 0, 0, b'\t', b'\n', 0, 0, b'\r', 0, 0];
/// By low and by high four bits. The second byte of an escape has one of the bits 0x0f in both, a
/// hex digit one of the bits 0x30.
const ESCAPES_LOW: [u8; 16] =
    [0x10, 0x30, 0x3d, 0x30, 0x38, 0x30, 0x34, 0x10, 0x10, 0x10, 0, 0, 0x02, 0, 0x04, 0x01];
const ESCAPES_HIGH: [u8; 16] = [0, 0, 0x01, 0x10, 0x20, 0x02, 0x24, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];

/// Proof that the processor has the instructions of `L`.
struct Cpu<L>(PhantomData<L>);

impl<L> Clone for Cpu<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Cpu<L> {}

impl<L: Lanes> Cpu<L> {
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    const unsafe fn new() -> Self {
        Self(PhantomData)
    }

    /// The lanes from `offset` on; none behind the end of the block.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "it is the proof")]
    fn load(self, block: &Block, offset: usize) -> Option<L> {
        let lanes = block.get(offset..offset + L::COUNT)?;
        // SAFETY: `self` is the proof of the instructions, and `lanes` has `COUNT` bytes.
        Some(unsafe { L::load(lanes.as_ptr()) })
    }
}

impl<L: Lanes> Isa for Cpu<L> {
    #[inline(always)]
    fn is_plain(self, block: &Block) -> bool {
        let mut offset = 0;
        let mut found = 0;
        while let Some(lanes) = self.load(block, offset) {
            found |= not_plain(lanes);
            offset += L::COUNT;
        }
        found == 0
    }

    #[inline(always)]
    fn string_masks(self, block: &Block) -> StringMasks {
        let mut masks = StringMasks { quotes: 0, backslashes: 0, controls: 0 };
        let mut offset = 0;
        while let Some(lanes) = self.load(block, offset) {
            masks.quotes |= lanes.equal(b'"').bits() << offset;
            masks.backslashes |= lanes.equal(b'\\').bits() << offset;
            masks.controls |= lanes.control().bits() << offset;
            offset += L::COUNT;
        }
        masks
    }

    #[inline(always)]
    fn token_masks(self, block: &Block) -> TokenMasks {
        let mut masks = TokenMasks { white_space: 0, commas: 0, colons: 0, opening: 0, closing: 0 };
        let mut offset = 0;
        while let Some(lanes) = self.load(block, offset) {
            masks.white_space |= lanes.white_space().bits() << offset;
            masks.commas |= lanes.equal(b',').bits() << offset;
            masks.colons |= lanes.equal(b':').bits() << offset;
            // `[` and `{`, and `]` and `}`, differ in this bit only.
            let folded = lanes.with(0x20);
            masks.opening |= folded.equal(b'{').bits() << offset;
            masks.closing |= folded.equal(b'}').bits() << offset;
            offset += L::COUNT;
        }
        masks
    }

    #[inline(always)]
    fn escape_masks(self, block: &Block) -> EscapeMasks {
        let mut masks = EscapeMasks { short: 0, unicode: 0, hex_digits: 0 };
        let mut offset = 0;
        while let Some(lanes) = self.load(block, offset) {
            let (short, hex_digits) = lanes.escapes();
            masks.short |= short.bits() << offset;
            masks.unicode |= lanes.equal(b'u').bits() << offset;
            masks.hex_digits |= hex_digits.bits() << offset;
            offset += L::COUNT;
        }
        masks
    }

    #[inline(always)]
    fn parity(self, bits: u64) -> u64 {
        // SAFETY: `self` is the proof of the instructions.
        unsafe { L::parity(bits) }
    }
}

/// The bytes that are not plain inside of a string: quotes, backslashes, control characters.
#[inline(always)]
fn not_plain<L: Lanes>(lanes: L) -> u64 {
    lanes.equal(b'"').or(lanes.equal(b'\\')).or(lanes.control()).bits()
}

/// As [`scan::plain`].
#[inline(always)]
fn plain<L: Lanes>(cpu: Cpu<L>, text: &[u8], at: usize) -> usize {
    let Some(rest) = text.get(at..) else { return text.len() };
    let (blocks, tail) = rest.as_chunks();
    let mut at = at;
    for block in blocks {
        if !cpu.is_plain(block) {
            let StringMasks { quotes, backslashes, controls } = cpu.string_masks(block);
            return at + (quotes | backslashes | controls).trailing_zeros() as usize;
        }
        at += 64;
    }
    scan::plain(text, text.len() - tail.len())
}

/// One way to read, for tests that compare them.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) container: fn(&[u8], usize, usize) -> Option<usize>,
    pub(super) plain: fn(&[u8], usize) -> usize,
    pub(super) is_utf8: fn(&[u8]) -> bool,
}

/// Every way that this processor can go.
#[cfg(test)]
pub(super) use arch::ways;
