//! x86-64: SSE2, and AVX2 where there is.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8,
    _mm_cvtsi128_si64, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
    _mm_set_epi64x, _mm_set1_epi8, _mm256_alignr_epi8, _mm256_and_si256,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set1_epi8,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_subs_epu8, _mm256_xor_si256,
};

use super::{
    super::{blocks, scan},
    Cpu, ESCAPES_HIGH, ESCAPES_LOW, Lanes, Shuffle, WHITE_SPACE, not_plain, utf8,
};

#[derive(Clone, Copy)]
struct Sse2(__m128i);

impl Sse2 {
    #[inline(always)]
    fn between(self, first: u8, last: u8) -> Self {
        // SAFETY: a value of this type comes from `load`, whose caller vouches for the processor.
        Self(unsafe {
            _mm_and_si128(
                _mm_cmpgt_epi8(self.0, _mm_set1_epi8(first.cast_signed() - 1)),
                _mm_cmpgt_epi8(_mm_set1_epi8(last.cast_signed() + 1), self.0),
            )
        })
    }
}

// SAFETY of all calls: a value of this type comes from `load`, whose caller vouches for the
// processor.
impl Lanes for Sse2 {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        Self(unsafe { _mm_loadu_si128(from.cast()) })
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> Self {
        Self(unsafe { _mm_cmpeq_epi8(self.0, _mm_set1_epi8(byte.cast_signed())) })
    }

    #[inline(always)]
    fn control(self) -> Self {
        Self(unsafe { _mm_cmpeq_epi8(_mm_min_epu8(self.0, _mm_set1_epi8(0x1f)), self.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(unsafe { _mm_or_si128(self.0, other.0) })
    }

    #[inline(always)]
    fn with(self, bits: u8) -> Self {
        Self(unsafe { _mm_or_si128(self.0, _mm_set1_epi8(bits.cast_signed())) })
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from(unsafe { _mm_movemask_epi8(self.0) }.cast_unsigned())
    }

    #[inline(always)]
    fn white_space(self) -> Self {
        self.equal(b' ').or(self.equal(b'\n')).or(self.equal(b'\r')).or(self.equal(b'\t'))
    }

    #[inline(always)]
    fn escapes(self) -> (Self, Self) {
        let mut short = self.equal(b'"');
        for byte in *b"\\/bfnrt" {
            short = short.or(self.equal(byte));
        }
        // Digits have this bit anyway, and nothing becomes a digit by it but control characters.
        let folded = self.with(0x20);
        (short, self.between(b'0', b'9').or(folded.between(b'a', b'f')))
    }
}

#[derive(Clone, Copy)]
struct Avx2(__m256i);

// SAFETY of all calls: a value of this type comes from `load` or `splat`, whose callers vouch for
// the processor.
impl Lanes for Avx2 {
    const COUNT: usize = 32;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> Self {
        Self(unsafe { _mm256_cmpeq_epi8(self.0, _mm256_set1_epi8(byte.cast_signed())) })
    }

    #[inline(always)]
    fn control(self) -> Self {
        Self(unsafe { _mm256_cmpeq_epi8(_mm256_min_epu8(self.0, _mm256_set1_epi8(0x1f)), self.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn with(self, bits: u8) -> Self {
        Self(unsafe { _mm256_or_si256(self.0, _mm256_set1_epi8(bits.cast_signed())) })
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from(unsafe { _mm256_movemask_epi8(self.0) }.cast_unsigned())
    }

    #[inline(always)]
    fn white_space(self) -> Self {
        Self(unsafe { _mm256_cmpeq_epi8(self.0, self.look_up(&WHITE_SPACE).0) })
    }

    #[inline(always)]
    fn escapes(self) -> (Self, Self) {
        unsafe {
            let classes = self.look_up(&ESCAPES_LOW).and(self.high().look_up(&ESCAPES_HIGH));
            let ones = Self::splat(0xff);
            let short = classes.and(Self::splat(0x0f)).equal(0).xor(ones);
            let hex_digits = classes.and(Self::splat(0x30)).equal(0).xor(ones);
            (short, hex_digits)
        }
    }

    #[inline(always)]
    unsafe fn parity(bits: u64) -> u64 {
        // The product without carries with all ones adds up, modulo 2, the bits below each bit.
        unsafe {
            let bits = _mm_set_epi64x(0, bits.cast_signed());
            let parity = _mm_clmulepi64_si128(bits, _mm_set1_epi8(-1), 0);
            _mm_cvtsi128_si64(parity).cast_unsigned()
        }
    }
}

// SAFETY of all calls: as above.
impl Shuffle for Avx2 {
    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self(unsafe { _mm256_set1_epi8(byte.cast_signed()) })
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16]) -> Self {
        Self(unsafe {
            let table = _mm_loadu_si128(table.as_ptr().cast());
            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), self.0)
        })
    }

    #[inline(always)]
    fn high(self) -> Self {
        Self(unsafe { _mm256_srli_epi16(self.0, 4) }).low()
    }

    #[inline(always)]
    fn low(self) -> Self {
        Self(unsafe { _mm256_and_si256(self.0, _mm256_set1_epi8(0x0f)) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn minus(self, byte: u8) -> Self {
        Self(unsafe { _mm256_subs_epu8(self.0, _mm256_set1_epi8(byte.cast_signed())) })
    }

    #[inline(always)]
    fn in_front(self, before: Self) -> [Self; 3] {
        unsafe {
            // The shift works on halves: each needs the half in front of it.
            let halves = _mm256_permute2x128_si256(before.0, self.0, 0x21);
            [
                Self(_mm256_alignr_epi8(self.0, halves, 15)),
                Self(_mm256_alignr_epi8(self.0, halves, 14)),
                Self(_mm256_alignr_epi8(self.0, halves, 13)),
            ]
        }
    }
}

#[target_feature(enable = "avx2,bmi1,lzcnt,pclmulqdq")]
fn container_avx2(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    // SAFETY: this function has the instructions.
    blocks::container(unsafe { Cpu::<Avx2>::new() }, text, at, depth)
}

fn container_sse2(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    // SAFETY: SSE2 is part of x86-64.
    blocks::container(unsafe { Cpu::<Sse2>::new() }, text, at, depth)
}

pub(super) fn container(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if has_avx2() {
        // SAFETY: just asked.
        return unsafe { container_avx2(text, at, depth) };
    }
    container_sse2(text, at, depth)
}

#[target_feature(enable = "avx2,bmi1,lzcnt,pclmulqdq")]
fn plain_avx2(text: &[u8], at: usize) -> usize {
    // SAFETY: this function has the instructions.
    super::plain(unsafe { Cpu::<Avx2>::new() }, text, at)
}

fn plain_sse2(text: &[u8], at: usize) -> usize {
    // SAFETY: SSE2 is part of x86-64.
    super::plain(unsafe { Cpu::<Sse2>::new() }, text, at)
}

/// Most strings are short: what is faster for long ones comes after the first bytes.
#[inline]
pub(super) fn plain(text: &[u8], mut at: usize) -> usize {
    for _ in 0..2 {
        let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) else {
            return scan::plain(text, at);
        };
        // SAFETY: SSE2 is part of x86-64, and it reads 16 bytes.
        let found = not_plain(unsafe { Sse2::load(bytes.as_ptr()) });
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    if has_avx2() {
        // SAFETY: just asked.
        return unsafe { plain_avx2(text, at) };
    }
    plain_sse2(text, at)
}

#[target_feature(enable = "avx2,bmi1,lzcnt,pclmulqdq")]
fn is_utf8_avx2(text: &[u8]) -> bool {
    // SAFETY: this function has the instructions.
    utf8::is_utf8(unsafe { Cpu::<Avx2>::new() }, text)
}

/// Whether the text is known to be UTF-8; without AVX2 nothing is.
pub(super) fn is_utf8(text: &[u8]) -> bool {
    // SAFETY: just asked.
    has_avx2() && unsafe { is_utf8_avx2(text) }
}

#[inline]
#[cfg(feature = "std")]
fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("pclmulqdq")
}

#[cfg(not(feature = "std"))]
const fn has_avx2() -> bool {
    cfg!(all(
        target_feature = "avx2",
        target_feature = "bmi1",
        target_feature = "lzcnt",
        target_feature = "pclmulqdq"
    ))
}

#[cfg(test)]
pub(in crate::json) fn ways() -> alloc::vec::Vec<super::Way> {
    use super::Way;

    let core = |text: &[u8]| str::from_utf8(text).is_ok();
    let mut ways = alloc::vec![
        Way { name: "sse2", container: container_sse2, plain: plain_sse2, is_utf8: core },
        Way { name: "chosen", container, plain, is_utf8: |text| super::to_str(text).is_ok() },
    ];
    if has_avx2() {
        // SAFETY of all calls: just asked.
        ways.push(Way {
            name: "avx2",
            container: |text, at, depth| unsafe { container_avx2(text, at, depth) },
            plain: |text, at| unsafe { plain_avx2(text, at) },
            is_utf8: |text| unsafe { is_utf8_avx2(text) },
        });
    }
    ways
}
