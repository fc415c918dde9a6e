//! The grammar of RFC 8259, 64 bytes at a time.
//!
//! One bit of a `u64` stands for one byte of a block, so a rule about neighbours is a few operations
//! on whole blocks. Only brackets, escapes, numbers and literals are looked at one by one. Nothing
//! here says what is wrong: whoever gets no answer reads the text again with [`scan`], which does.
//!
//! The rules, for a text whose brackets match (checked one by one):
//!
//! 1. A value or a name does not follow a value.
//! 2. A comma follows a value.
//! 3. A closing bracket follows a value or its own opening bracket.
//! 4. In an object, what does not follow a colon is a name.
//! 5. Colons stand behind names, and behind every name stands one.
//! 6. No control characters in strings; escapes, numbers and literals are spelt right.

use super::scan::{self, Stack};

/// The bytes of one block.
pub(super) type Block = [u8; 64];

/// Bytes that matter inside of strings. Bit 0 is the first byte.
#[derive(Clone, Copy)]
pub(super) struct StringMasks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// Below 0x20.
    pub(super) controls: u64,
}

/// Bytes that matter outside of strings.
#[derive(Clone, Copy)]
pub(super) struct TokenMasks {
    pub(super) white_space: u64,
    pub(super) commas: u64,
    pub(super) colons: u64,
    /// Both sorts of brackets.
    pub(super) opening: u64,
    pub(super) closing: u64,
}

/// Bytes that matter in escapes.
#[derive(Clone, Copy)]
pub(super) struct EscapeMasks {
    /// What makes an escape behind a backslash, but for `u`.
    pub(super) short: u64,
    /// `u`
    pub(super) unicode: u64,
    pub(super) hex_digits: u64,
}

/// An instruction set that can sort the bytes of a block.
pub(super) trait Isa: Copy {
    /// Whether the block has no quote, no backslash and no control character.
    fn is_plain(self, block: &Block) -> bool;
    fn string_masks(self, block: &Block) -> StringMasks;
    fn token_masks(self, block: &Block) -> TokenMasks;
    fn escape_masks(self, block: &Block) -> EscapeMasks;
    /// Each bit is the parity of the bits up to it.
    fn parity(self, bits: u64) -> u64;
}

/// Passes the container whose bracket is at `start`, with `depth` containers open around it. `None`
/// if it is not well-formed, too deep, or cut.
#[expect(clippy::inline_always, reason = "the instruction set is the caller's")]
#[inline(always)]
pub(super) fn container<I: Isa>(isa: I, text: &[u8], start: usize, depth: usize) -> Option<usize> {
    let mut reader = Reader {
        open: Stack::new(depth),
        depth,
        escaped: 0,
        hex_digits: 0,
        in_string: 0,
        after_value: 0,
        after_colon: 0,
        in_name: 0,
        scalar: 0,
        after_opening: false,
    };
    let rest = text.get(start..)?;
    let (blocks, tail) = rest.as_chunks::<64>();
    let mut at = start;
    for block in blocks {
        if reader.in_string != 0 && reader.escaped | reader.hex_digits == 0 && isa.is_plain(block) {
            at += 64;
            continue;
        }
        if let Some(end) = reader.block(isa, block, text, at).ok()? {
            return Some(end);
        }
        at += 64;
    }
    let mut last = [b' '; 64];
    last.get_mut(..tail.len())?.copy_from_slice(tail);
    reader.block(isa, &last, text, at).ok()?
}

/// Something is not as it should be.
struct Fault;

/// What one block has to know of those before it. Masks are all ones or all zeros, carries 0 or 1.
struct Reader {
    open: Stack,
    /// Containers open around the one that is read.
    depth: usize,
    /// Carry: the first byte of the block follows a backslash.
    escaped: u64,
    /// Bits: the first bytes of the block that belong to a `\\u` of the block before.
    hex_digits: u64,
    /// Mask: the block starts inside of a string.
    in_string: u64,
    /// Carry: a value ended, and only white space since.
    after_value: u64,
    /// Carry: a colon, and only white space since.
    after_colon: u64,
    /// Carry: inside of a name, or behind it with only white space since.
    in_name: u64,
    /// Carry: the last byte of the block before belongs to a number or a literal.
    scalar: u64,
    /// The last token was an opening bracket.
    after_opening: bool,
}

impl Reader {
    /// Reads the block that stands at `base` of the text. Says where the container ends, if here.
    #[expect(clippy::inline_always, reason = "the instruction set is the caller's")]
    #[inline(always)]
    fn block<I: Isa>(
        &mut self,
        isa: I,
        block: &Block,
        text: &[u8],
        base: usize,
    ) -> Result<Option<usize>, Fault> {
        let masks = isa.string_masks(block);
        let escaped = self.escaped(masks.backslashes);
        let quotes = masks.quotes & !escaped;
        if self.in_string & mask(u64::from(quotes == 0)) != 0 {
            let faults = masks.controls | self.wrong_escapes(isa, block, escaped);
            return if faults == 0 { Ok(None) } else { Err(Fault) };
        }
        // From each opening quote up to, not including, the closing one.
        let strings = isa.parity(quotes) ^ self.in_string;
        let opening_quotes = quotes & strings;
        let closing_quotes = quotes & !strings;
        self.in_string = mask(strings >> 63);

        let tokens = isa.token_masks(block);
        let outside = !(strings | closing_quotes);
        let white_space = tokens.white_space & outside;
        let commas = tokens.commas & outside;
        let colons = tokens.colons & outside;
        let opening = tokens.opening & outside;
        let closing = tokens.closing & outside;
        let scalars = outside & !(white_space | commas | colons | opening | closing);
        let behind_scalars = scalars << 1 | self.scalar;
        let scalar_starts = scalars & !behind_scalars;
        self.scalar = scalars >> 63;

        let value_ends = closing_quotes | closing;
        let behind_values = value_ends << 1 | (behind_scalars & !scalars);
        let (after_value, carry) = first_behind(behind_values, white_space, self.after_value);
        self.after_value = carry | value_ends >> 63;
        let (after_colon, carry) = first_behind(colons << 1, white_space, self.after_colon);
        self.after_colon = carry | colons >> 63;

        let starts = opening_quotes | scalar_starts | opening | commas | colons | closing;
        let Brackets { objects, end } =
            self.brackets(text, base, &Tokens { starts, opening, closing, after_value })?;
        let names = opening_quotes & objects & !after_colon;
        let not_names = (scalar_starts | opening) & objects & !after_colon;
        let (behind_names, carry) =
            first_behind(names, strings | closing_quotes | white_space, self.in_name);
        self.in_name = carry;

        let faults = ((opening_quotes | scalar_starts | opening) & after_value)
            | (commas & !after_value)
            | not_names
            | (behind_names ^ colons)
            | (masks.controls & strings)
            | self.wrong_escapes(isa, block, escaped & strings);
        let read = end.map_or(!0, |end| !0 >> (63 - end));
        if faults & read != 0 {
            return Err(Fault);
        }
        let mut scalars = scalar_starts & read;
        while scalars != 0 {
            if !is_scalar(text, base + scalars.trailing_zeros() as usize) {
                return Err(Fault);
            }
            scalars &= scalars - 1;
        }
        Ok(end.map(|end| base + end + 1))
    }

    /// The bytes that follow a backslash that is not itself escaped.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let carried = self.escaped;
        if backslashes == 0 {
            self.escaped = 0;
            return carried;
        }
        let backslashes = backslashes & !carried;
        let followers = backslashes << 1 | carried;
        // A run of backslashes escapes every second byte from its second on. Adding the run to its
        // own start tells where it ends, hence the runs that start at odd places are inverted.
        let odd_starts = backslashes & !(EVEN | followers);
        let (ends, overflow) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(overflow);
        (EVEN ^ ends << 1) & followers
    }

    /// The bytes that are not what an escape needs, given the bytes behind backslashes.
    #[expect(clippy::inline_always, reason = "the instruction set is the caller's")]
    #[inline(always)]
    fn wrong_escapes<I: Isa>(&mut self, isa: I, block: &Block, escaped: u64) -> u64 {
        if escaped | self.hex_digits == 0 {
            return 0;
        }
        let EscapeMasks { short, unicode, hex_digits } = isa.escape_masks(block);
        let unicode = unicode & escaped;
        // Four digits follow, in the next block if need be.
        let digits = unicode << 1 | unicode << 2 | unicode << 3 | unicode << 4 | self.hex_digits;
        self.hex_digits = unicode >> 63 | unicode >> 62 | unicode >> 61 | unicode >> 60;
        (escaped & !(short | unicode)) | (digits & !hex_digits)
    }

    /// Opens and closes the containers of a block.
    fn brackets(&mut self, text: &[u8], base: usize, tokens: &Tokens) -> Result<Brackets, Fault> {
        let mut objects = mask(u64::from(self.open.in_object()));
        let mut rest = tokens.opening | tokens.closing;
        while rest != 0 {
            let place = rest.trailing_zeros();
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            let at = base + place as usize;
            let byte = *text.get(at).ok_or(Fault)?;
            if tokens.opening & bit != 0 {
                self.open.push(byte == b'{', at).map_err(|_| Fault)?;
            } else {
                if (byte == b'}') != self.open.in_object() {
                    return Err(Fault);
                }
                if tokens.after_value & bit == 0 {
                    let before = tokens.starts & (bit - 1);
                    if !last_is_in(before, tokens.opening, self.after_opening) {
                        return Err(Fault);
                    }
                }
                self.open.pop();
                if self.open.depth() == self.depth {
                    return Ok(Brackets { objects, end: Some(place as usize) });
                }
            }
            let below = bit | (bit - 1);
            objects = (objects & below) | (mask(u64::from(self.open.in_object())) & !below);
        }
        self.after_opening = last_is_in(tokens.starts, tokens.opening, self.after_opening);
        Ok(Brackets { objects, end: None })
    }
}

struct Tokens {
    /// The first byte of every token.
    starts: u64,
    opening: u64,
    closing: u64,
    /// The first byte that is not white space behind each value.
    after_value: u64,
}

struct Brackets {
    /// The bytes whose innermost container is an object; brackets stand outside of themselves.
    objects: u64,
    /// Where the container closes that is read.
    end: Option<usize>,
}

/// Whether the highest bit of `bits` is in `set`; `otherwise` if there is none.
fn last_is_in(bits: u64, set: u64, otherwise: bool) -> bool {
    match bits.checked_ilog2() {
        Some(highest) => set >> highest & 1 == 1,
        None => otherwise,
    }
}

/// All ones for 1, all zeros for 0.
const fn mask(bit: u64) -> u64 {
    bit.wrapping_neg()
}

/// Moves each bit of `from` that stands at the start of a run of `through` behind that run; other
/// bits stay. The carry is a bit that comes in from, or goes out to, the neighbouring block.
#[inline]
const fn first_behind(from: u64, through: u64, carry: u64) -> (u64, u64) {
    let (sum, over) = through.overflowing_add(from);
    let (sum, over_again) = sum.overflowing_add(carry);
    (sum & !through, (over | over_again) as u64)
}

/// Whether a whole number or literal stands there.
fn is_scalar(text: &[u8], at: usize) -> bool {
    let Ok(end) = scan::scalar(text, at) else { return false };
    matches!(text.get(end), Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b']' | b'}'))
}
