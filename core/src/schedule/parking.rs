//! Domains that must wait, found by the suffixes of a name.

use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    string::String,
    vec::Vec,
};

use super::{
    queues::{Level, Rings},
    slab::Slab,
    timers::Timers,
};
use crate::Timestamp;

#[derive(Clone, Debug)]
struct Spot {
    name: String,
    subdomains: bool,
    until: Timestamp,
    rings: Rings,
}

/// Parked domains and the lanes set aside for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Parking {
    spots: Slab<Spot>,
    /// Spots by name: those of one host, and those with subdomains.
    hosts: BTreeMap<String, u32>,
    suffixes: BTreeMap<String, u32>,
    /// Spots that hold lanes: they are what somebody waits for.
    holding: Timers,
    /// Spots that hold none: only to be forgotten.
    empty: Timers,
}

impl Parking {
    pub(super) fn park(&mut self, name: &str, subdomains: bool, until: Timestamp) {
        let index = if subdomains { &mut self.suffixes } else { &mut self.hosts };
        match index.entry(name.into()) {
            Entry::Vacant(vacant) => {
                let name = vacant.key().clone();
                let spot = Spot { name, subdomains, until, rings: Rings::new() };
                let spot = self.spots.insert(spot);
                vacant.insert(spot);
                self.empty.set(spot, until);
            }
            Entry::Occupied(known) => {
                let index = *known.get();
                if let Some(spot) = self.spots.get_mut(index)
                    && until > spot.until
                {
                    spot.until = until;
                    let timers =
                        if spot.rings.is_empty() { &mut self.empty } else { &mut self.holding };
                    timers.set(index, until);
                }
            }
        }
    }

    /// The spot that keeps a name waiting longest, if one does.
    pub(super) fn find(&self, name: &str, now: Timestamp) -> Option<u32> {
        if self.spots.len() == 0 {
            return None;
        }
        let starts = name.match_indices('.').map(|(dot, _)| dot + 1);
        let suffixes = core::iter::once(0).chain(starts).filter_map(|start| name.get(start..));
        let wide = suffixes.filter_map(|suffix| self.suffixes.get(suffix));
        wide.chain(self.hosts.get(name))
            .filter_map(|&index| self.spots.get(index).map(|spot| (spot.until, index)))
            .filter(|(until, _)| *until > now)
            .max_by_key(|(until, _)| *until)
            .map(|(_, index)| index)
    }

    /// The ring of a spot for lanes of a level.
    pub(super) fn ring(&mut self, index: u32, level: Level, new_ring: impl FnOnce() -> u32) -> u32 {
        let Some(spot) = self.spots.get_mut(index) else { return new_ring() };
        if spot.rings.is_empty() {
            self.empty.remove(index);
            self.holding.set(index, spot.until);
        }
        *spot.rings.entry(level).or_insert_with(new_ring)
    }

    /// Takes the rings of a spot whose time has come; forgotten spots without rings give none.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Rings> {
        let index = self.holding.pop_due(now).or_else(|| self.empty.pop_due(now))?;
        let spot = self.spots.remove(index)?;
        let index = if spot.subdomains { &mut self.suffixes } else { &mut self.hosts };
        index.remove(&spot.name);
        Some(spot.rings)
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_return().is_some_and(|at| at <= now)
    }

    /// When the first lanes come back.
    pub(super) fn next_return(&self) -> Option<Timestamp> {
        self.holding.first().map(|(at, _)| at)
    }

    pub(super) fn all(&self) -> Vec<(String, bool, Timestamp)> {
        let spots = self.spots.iter();
        spots.map(|(_, spot)| (spot.name.clone(), spot.subdomains, spot.until)).collect()
    }

    pub(super) fn rings(&self) -> impl Iterator<Item = &Rings> {
        self.holding
            .sorted()
            .into_iter()
            .filter_map(|(index, _)| self.spots.get(index).map(|spot| &spot.rings))
    }
}
