//! How many requests may be under way: falls when the service has no room, rises slowly.

/// The limit of requests under way.
#[derive(Clone, Debug)]
pub(super) struct Window {
    most: u32,
    limit: u32,
    good: u32,
}

impl Window {
    pub(super) const fn new(most: u32) -> Self {
        Self { most, limit: most, good: 0 }
    }

    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, self.most);
    }

    /// The service had no room for what was under way: half of that from here on.
    pub(super) fn fall(&mut self, under_way: u32) {
        self.limit = (self.limit.min(under_way) / 2).max(1);
        self.good = 0;
    }

    /// A good answer. After as many as may be under way, a tenth more may be.
    pub(super) fn rise(&mut self) {
        if self.limit < self.most {
            self.good += 1;
            if self.good >= self.limit {
                self.good = 0;
                self.limit = (self.limit + (self.limit / 10).max(1)).min(self.most);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_by_half_and_rises_by_tenths() {
        let mut window = Window::new(100);
        window.fall(40);
        assert_eq!(window.limit(), 20);
        for _ in 0..19 {
            window.rise();
        }
        assert_eq!(window.limit(), 20);
        window.rise();
        assert_eq!(window.limit(), 22);
        for _ in 0..9 {
            window.fall(100);
        }
        assert_eq!(window.limit(), 1);
        for _ in 0..2_000 {
            window.rise();
        }
        assert_eq!(window.limit(), 100);
    }
}
