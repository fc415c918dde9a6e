//! What every world does alike, over the fields that all worlds have.

macro_rules! life {
    ($world:ident) => {
        impl $world {
            pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
                if let Some(told) = &mut self.told {
                    told.push(format!("{:>12} {}", self.now, line()));
                }
            }

            /// The present on the clock of the engine's process.
            pub(super) fn clock(&self) -> Timestamp {
                Timestamp::from_micros(self.now - self.epoch)
            }

            pub(super) fn clock_of_service(&self) -> Timestamp {
                Timestamp::from_micros(self.now)
            }

            /// Moves on to the next moment at which something happens, and lets it happen.
            pub(super) fn advance(&mut self) -> Checked {
                let next = self.calendar.next().into_iter().chain(self.engine_wakes).min();
                if let Some(at) = next {
                    self.now = self.now.max(at);
                }
                while let Some(happening) = self.calendar.take(self.now) {
                    self.happen(happening)?;
                    self.check()?;
                }
                Ok(())
            }

            pub(super) fn cancel(&mut self, job: u64) -> Checked {
                let Some(&id) = self.ids.get(&job) else { return Ok(()) };
                self.tell(|| format!("cancel {job}"));
                let (clock, known) = (self.clock(), self.engine.contains(id));
                let cancelled = self.watch.time(|| self.engine.cancel(id, clock));
                self.engine_wakes = Some(self.now);
                hold(cancelled == known, || format!("cancelling job {job} said {cancelled}"))
            }

            /// The application ends a stop.
            pub(super) fn resume(&mut self) {
                self.tell(|| "resume".into());
                let clock = self.clock();
                self.watch.time(|| self.engine.resume(clock));
                (self.stopped, self.resumed) = (false, true);
                self.engine_wakes = Some(self.now);
                // Whatever was a probe is an ordinary request.
                for known in self.connections.values_mut() {
                    known.probe = false;
                }
            }

            /// The process ends; the next one begins after the downtime, on a clock of its own.
            fn lose_process(&mut self, downtime: u64) -> Checked {
                self.process += 1;
                // The service sees the connections break.
                let gone: Vec<u64> = self.connections.keys().copied().collect();
                for connection in gone {
                    let delay = self.dice.up_to(self.setting.network.delay_us);
                    self.calendar.enter(self.now + delay, Happening::HungUp(connection));
                }
                let until = self.now + downtime;
                while let Some(at) = self.calendar.next().filter(|at| *at <= until) {
                    self.now = self.now.max(at);
                    if let Some(happening) = self.calendar.take(at) {
                        self.happen(happening)?;
                    }
                }
                self.now = until;
                self.epoch = self.dice.up_to(self.now);
                Ok(())
            }

            /// The service wants to be polled at a moment.
            pub(super) fn wake_service(&mut self, at: Timestamp) {
                let at = at.as_micros();
                if self.service_wakes.is_none_or(|known| at < known) {
                    self.service_wakes = Some(at);
                    self.calendar.enter(at, Happening::ServiceWakes);
                }
            }
        }
    };
}

pub(super) use life;
