//! Whether bytes are UTF-8, by the method of J. Keiser and D. Lemire, "Validating UTF-8 in less
//! than one instruction per byte" (2021): three tables tell, for each pair of neighbours, which
//! faults their half bytes allow; a fault that all three allow is there.

use super::{Block, Cpu, Shuffle};

/// A lead byte or an ASCII byte where a continuation has to be.
const TOO_SHORT: u8 = 1 << 0;
/// ASCII and a continuation.
const TOO_LONG: u8 = 1 << 1;
const OVERLONG_3: u8 = 1 << 2;
/// Above U+10FFFF.
const TOO_LARGE: u8 = 1 << 3;
const SURROGATE: u8 = 1 << 4;
const OVERLONG_2: u8 = 1 << 5;
/// Above U+10FFFF too, where the second byte is 0x80..=0x8f.
const TOO_LARGE_1000: u8 = 1 << 6;
const OVERLONG_4: u8 = 1 << 6;
/// Two continuations, which are right behind a lead byte of three or four.
const TWO_CONTINUATIONS: u8 = 1 << 7;
/// What does not depend on the low half of the first byte.
const CARRY: u8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;
const LARGE: u8 = CARRY | TOO_LARGE | TOO_LARGE_1000;
const CONTINUED: u8 = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS;

const FIRST_HIGH: [u8; 16] = [
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
];
const FIRST_LOW: [u8; 16] = [
    CARRY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    CARRY | OVERLONG_2,
    CARRY,
    CARRY,
    CARRY | TOO_LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE,
    LARGE | SURROGATE,
    LARGE,
    LARGE,
];
const SECOND_HIGH: [u8; 16] = [
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    CONTINUED | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    CONTINUED | OVERLONG_3 | TOO_LARGE,
    CONTINUED | SURROGATE | TOO_LARGE,
    CONTINUED | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
];

/// Whether the bytes are UTF-8.
#[inline(always)]
pub(super) fn is_utf8<L: Shuffle>(cpu: Cpu<L>, text: &[u8]) -> bool {
    // SAFETY: `cpu` is the proof of the instructions.
    let zero = unsafe { L::splat(0) };
    let mut checker = Checker { cpu, before: zero, faults: zero, ascii: true };
    let (blocks, tail) = text.as_chunks();
    for block in blocks {
        checker.block(block);
    }
    // There is always ASCII behind the end, which shows a character that is cut.
    let mut last = [0; 64];
    let Some(start) = last.get_mut(..tail.len()) else { return false };
    start.copy_from_slice(tail);
    checker.block(&last);
    checker.faults.equal(0).bits().count_ones() as usize == L::COUNT
}

struct Checker<L> {
    cpu: Cpu<L>,
    /// The lanes in front.
    before: L,
    /// Not zero where a fault was found.
    faults: L,
    /// The block in front was all ASCII.
    ascii: bool,
}

impl<L: Shuffle> Checker<L> {
    #[inline(always)]
    fn block(&mut self, block: &Block) {
        let mut offset = 0;
        let mut high = 0;
        while let Some(lanes) = self.cpu.load(block, offset) {
            high |= lanes.bits();
            offset += L::COUNT;
        }
        if high == 0 && self.ascii {
            return;
        }
        self.ascii = high == 0;
        offset = 0;
        while let Some(lanes) = self.cpu.load(block, offset) {
            self.lanes(lanes);
            offset += L::COUNT;
        }
    }

    #[inline(always)]
    fn lanes(&mut self, lanes: L) {
        let [first, second, third] = lanes.in_front(self.before);
        let faults = first
            .high()
            .look_up(&FIRST_HIGH)
            .and(first.low().look_up(&FIRST_LOW))
            .and(lanes.high().look_up(&SECOND_HIGH));
        // The third byte of three and the third and fourth of four have to be what the tables,
        // which see but two bytes, call a second continuation.
        let continuations = second.minus(0xe0 - 0x80).or(third.minus(0xf0 - 0x80));
        // SAFETY: as `lanes` exist, so do the instructions.
        let continuations = continuations.and(unsafe { L::splat(0x80) });
        self.faults = self.faults.or(faults.xor(continuations));
        self.before = lanes;
    }
}
