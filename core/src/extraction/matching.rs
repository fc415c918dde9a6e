//! Which result belongs to which query.
//!
//! Results come in any order (Automatic Extraction API docs, Batching Queries) and repeat their
//! query; what they repeat can be more than was sent, or less. A result that repeats a query whole
//! is its result. One that repeats less belongs to the only queries that fit; when those are not
//! the same query over again, nobody is guessed at.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec,
    vec::Vec,
};

use super::{Query, envelope::Echo};

/// Where a result belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// To several queries that are not the same, as far as it tells.
    Ambiguous,
    /// To no query.
    Foreign,
    /// To the query of that index.
    Query(usize),
    /// To queries that all have their results; to that one, if they are the same.
    Surplus(Option<usize>),
}

/// URL, page type and meta; `None` is "not told".
type Key<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// Which of the three a result tells.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Mask {
    url: bool,
    page_type: bool,
    meta: bool,
}

impl Mask {
    /// What tells more comes first.
    const ALL: [Self; 8] = [
        Self { url: true, page_type: true, meta: true },
        Self { url: true, page_type: true, meta: false },
        Self { url: true, page_type: false, meta: true },
        Self { url: false, page_type: true, meta: true },
        Self { url: true, page_type: false, meta: false },
        Self { url: false, page_type: false, meta: true },
        Self { url: false, page_type: true, meta: false },
        Self { url: false, page_type: false, meta: false },
    ];

    fn of(echo: &Echo<'_>) -> Self {
        Self {
            url: echo.url.is_some(),
            page_type: echo.page_type.is_some(),
            meta: echo.meta.is_some(),
        }
    }

    /// A query as a result of this mask would tell it; `None` if it cannot be such a result's
    /// because the result has a meta that the query has not.
    fn key(self, query: &Query) -> Option<Key<'_>> {
        if self.meta && query.meta().is_none() {
            return None;
        }
        Some((
            self.url.then(|| query.url()),
            self.page_type.then(|| query.page_type().as_str()),
            query.meta().filter(|_| self.meta),
        ))
    }
}

fn key<'e>(echo: &'e Echo<'_>) -> Key<'e> {
    (echo.url.as_deref(), echo.page_type.as_deref(), echo.meta.as_deref())
}

fn whole(query: &Query) -> Key<'_> {
    (Some(query.url()), Some(query.page_type().as_str()), query.meta())
}

/// Gives the queries to the results.
pub(super) struct Matching<'q> {
    queries: &'q [Query],
    /// Queries without a result, sorted by all they are; equal ones in their order.
    free: Vec<(Key<'q>, VecDeque<usize>)>,
    taken: Vec<bool>,
}

impl<'q> Matching<'q> {
    pub(super) fn new(queries: &'q [Query]) -> Self {
        let mut free: BTreeMap<_, VecDeque<usize>> = BTreeMap::new();
        for (index, query) in queries.iter().enumerate() {
            free.entry(whole(query)).or_default().push_back(index);
        }
        Self { queries, free: free.into_iter().collect(), taken: vec![false; queries.len()] }
    }

    /// The query that the result repeats whole.
    pub(super) fn take_whole(&mut self, echo: &Echo<'_>) -> Option<usize> {
        if echo.alien || echo.url.is_none() || echo.page_type.is_none() {
            return None;
        }
        let at = self.free.binary_search_by(|(whole, _)| whole.cmp(&key(echo))).ok()?;
        let (_, indexes) = self.free.get_mut(at)?;
        let index = indexes.pop_front()?;
        self.mark(index);
        Some(index)
    }

    fn mark(&mut self, index: usize) {
        if let Some(taken) = self.taken.get_mut(index) {
            *taken = true;
        }
    }

    fn is_taken(&self, index: usize) -> bool {
        self.taken.get(index).copied().unwrap_or(true)
    }

    /// Places the results that repeat no free query whole.
    pub(super) fn place(mut self, echoes: &[Echo<'_>]) -> Vec<Place> {
        let mut places = vec![Place::Foreign; echoes.len()];
        let mut open: Vec<usize> = Vec::new();
        open.extend((0..echoes.len()).filter(|&at| echoes.get(at).is_some_and(|e| !e.alien)));
        // A result that is placed can leave only one query for another. Each round places some, and
        // so many rounds as there are masks settle all chains that matter.
        for _ in Mask::ALL {
            let before = open.len();
            for mask in Mask::ALL {
                self.place_by(mask, echoes, &mut open, &mut places);
            }
            if open.is_empty() || open.len() == before {
                break;
            }
        }
        for mask in Mask::ALL {
            self.explain(mask, echoes, &open, &mut places);
        }
        places
    }

    /// Places the open results of one mask where the free queries that fit are all the same.
    fn place_by(
        &mut self,
        mask: Mask,
        echoes: &[Echo<'_>],
        open: &mut Vec<usize>,
        places: &mut [Place],
    ) {
        let mut fitting: BTreeMap<Key<'_>, VecDeque<usize>> = BTreeMap::new();
        for echo in open.iter().filter_map(|&at| echoes.get(at)) {
            if Mask::of(echo) == mask {
                fitting.insert(key(echo), VecDeque::new());
            }
        }
        if fitting.is_empty() {
            return;
        }
        for (index, query) in self.queries.iter().enumerate() {
            if !self.is_taken(index)
                && let Some(indexes) = mask.key(query).and_then(|key| fitting.get_mut(&key))
            {
                indexes.push_back(index);
            }
        }
        fitting.retain(|_, indexes| self.are_same(indexes));
        open.retain(|&at| {
            let Some(echo) = echoes.get(at).filter(|echo| Mask::of(echo) == mask) else {
                return true;
            };
            let index = fitting.get_mut(&key(echo)).and_then(VecDeque::pop_front);
            if let (Some(index), Some(place)) = (index, places.get_mut(at)) {
                self.mark(index);
                *place = Place::Query(index);
            }
            index.is_none()
        });
    }

    fn are_same(&self, indexes: &VecDeque<usize>) -> bool {
        let mut wholes = indexes.iter().filter_map(|&index| self.queries.get(index)).map(whole);
        let first = wholes.next();
        wholes.all(|whole| Some(whole) == first)
    }

    /// Says of the results of one mask that found no query why they did not.
    fn explain(&self, mask: Mask, echoes: &[Echo<'_>], open: &[usize], places: &mut [Place]) {
        let mut fitting: BTreeMap<Key<'_>, VecDeque<usize>> = BTreeMap::new();
        let of_mask = |at: usize| echoes.get(at).filter(|echo| Mask::of(echo) == mask);
        for echo in open.iter().filter_map(|&at| of_mask(at)) {
            fitting.insert(key(echo), VecDeque::new());
        }
        if fitting.is_empty() {
            return;
        }
        for (index, query) in self.queries.iter().enumerate() {
            if let Some(indexes) = mask.key(query).and_then(|key| fitting.get_mut(&key)) {
                indexes.push_back(index);
            }
        }
        let explained: BTreeMap<_, _> = fitting
            .iter()
            .map(|(key, indexes)| {
                let place = if indexes.is_empty() {
                    Place::Foreign
                } else if indexes.iter().any(|&index| !self.is_taken(index)) {
                    Place::Ambiguous
                } else {
                    let first = indexes.front().copied();
                    Place::Surplus(first.filter(|_| self.are_same(indexes)))
                };
                (*key, place)
            })
            .collect();
        for &at in open {
            let place = of_mask(at).and_then(|echo| explained.get(&key(echo)));
            if let (Some(place), Some(slot)) = (place, places.get_mut(at)) {
                *slot = *place;
            }
        }
    }
}
