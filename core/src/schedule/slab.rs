//! Storage by small integers, in chunks: growing copies nothing, so no call pays for all entries.

use alloc::vec::Vec;

/// The index that stands for "no entry".
pub(crate) const NONE: u32 = u32::MAX;

/// Entries of a chunk; a power of two, so that an index splits by shift and mask.
const CHUNK: usize = 256;

fn split(index: u32) -> (usize, usize) {
    // An index fits a usize on every target of at least 32 bits.
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}

#[derive(Clone, Debug)]
enum Entry<T> {
    Occupied(T),
    Vacant(u32),
}

/// A slab: values keep their index until they are removed; indices are used again, latest first.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Entry<T>>>,
    /// Chunks of a table that was drained, all vacant: each call frees one, so that none pays for
    /// all.
    spare: Vec<Vec<Entry<T>>>,
    free: u32,
    end: u32,
    len: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), spare: Vec::new(), free: NONE, end: 0, len: 0 }
    }
}

impl<T> Slab<T> {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.spare.pop();
        self.len += 1;
        let index = self.free;
        let (chunk, place) = split(index);
        if let Some(entry) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(place))
            && let Entry::Vacant(next) = *entry
        {
            self.free = next;
            *entry = Entry::Occupied(value);
            return index;
        }
        let index = self.end;
        let (chunk, _) = split(index);
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            chunk.push(Entry::Occupied(value));
        }
        self.end += 1;
        index
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let free = self.free;
        let (chunk, place) = split(index);
        let entry = self.chunks.get_mut(chunk)?.get_mut(place)?;
        if matches!(entry, Entry::Vacant(_)) {
            return None;
        }
        let Entry::Occupied(value) = core::mem::replace(entry, Entry::Vacant(free)) else {
            return None;
        };
        self.free = index;
        self.len -= 1;
        self.spare.pop();
        if self.len == 0 {
            // A drained table gives its memory back.
            let mut spare = core::mem::take(&mut self.spare);
            spare.append(&mut self.chunks);
            *self = Self { spare, ..Self::default() };
            self.spare.pop();
        }
        Some(value)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let (chunk, place) = split(index);
        match self.chunks.get(chunk)?.get(place)? {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let (chunk, place) = split(index);
        match self.chunks.get_mut(chunk)?.get_mut(place)? {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant(_) => None,
        }
    }

    /// All values in the order of their indices: for snapshots and closing only.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.chunks.iter().flatten().zip(0_u32..).filter_map(|(entry, index)| match entry {
            Entry::Occupied(value) => Some((index, value)),
            Entry::Vacant(_) => None,
        })
    }
}

/// A column: one small value for each index of a slab, with a default for those never set.
#[derive(Clone, Debug)]
pub(crate) struct Column<T> {
    chunks: Vec<Vec<T>>,
    default: T,
}

impl<T: Copy> Column<T> {
    pub(crate) const fn new(default: T) -> Self {
        Self { chunks: Vec::new(), default }
    }

    pub(crate) fn get(&self, index: u32) -> T {
        let (chunk, place) = split(index);
        self.chunks.get(chunk).and_then(|chunk| chunk.get(place)).map_or(self.default, |v| *v)
    }

    pub(crate) fn set(&mut self, index: u32, value: T) {
        let (chunk, place) = split(index);
        while self.chunks.len() <= chunk {
            self.chunks.push(Vec::new());
        }
        let default = self.default;
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            if chunk.is_empty() {
                chunk.reserve_exact(CHUNK);
                chunk.resize(CHUNK, default);
            }
            if let Some(entry) = chunk.get_mut(place) {
                *entry = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn indices_stay_and_come_back() {
        let mut slab = Slab::default();
        let indices: Vec<u32> = (0..600).map(|n| slab.insert(n)).collect();
        assert_eq!(indices.last(), Some(&599));
        assert_eq!(slab.remove(3), Some(3));
        assert_eq!(slab.remove(500), Some(500));
        assert_eq!(slab.remove(500), None);
        assert_eq!((slab.get(3), slab.get(4), slab.len()), (None, Some(&4), 598));
        assert_eq!((slab.insert(-1), slab.insert(-2), slab.insert(-3)), (500, 3, 600));
        *slab.get_mut(600).unwrap() = -4;
        assert_eq!(slab.iter().last(), Some((600, &-4)));
        assert_eq!(slab.get(NONE), None);
    }

    #[test]
    fn a_drained_slab_starts_again() {
        let mut slab = Slab::default();
        let first = slab.insert(1);
        slab.remove(first);
        assert!(slab.chunks.is_empty());
        assert_eq!(slab.insert(2), 0);
    }

    #[test]
    fn a_drained_slab_is_freed_bit_by_bit() {
        let mut slab = Slab::default();
        let indices: Vec<u32> = (0..10 * 256).map(|n| slab.insert(n)).collect();
        for index in indices {
            slab.remove(index);
        }
        assert_eq!((slab.chunks.len(), slab.spare.len()), (0, 9));
        for _ in 0..5 {
            let index = slab.insert(1);
            slab.remove(index);
        }
        assert_eq!(slab.spare.len(), 0);
    }

    #[test]
    fn a_column_has_a_default() {
        let mut column = Column::new(7);
        column.set(1000, 1);
        assert_eq!(vec![column.get(0), column.get(999), column.get(1000)], vec![7, 7, 1]);
    }
}
