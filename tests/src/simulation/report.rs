//! The table that `make simulate` prints, and its file.

use serde::Serialize;

/// What came of a scenario. What a scenario does not measure is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// Its name.
    pub scenario: String,
    /// Virtual time from the first send to the last.
    pub makespan_s: Option<f64>,
    /// The least that this can be.
    pub bound_s: Option<f64>,
    /// What the service counted against the engine, and broken invariants.
    pub violations: u64,
    /// Polls and inputs that the engine answered in a second of real time, the service's and the
    /// world's own time left out.
    pub decisions_per_s: Option<f64>,
    /// Live bytes for a queued job, its own strings left out.
    pub bytes_per_job: Option<f64>,
    /// The most bytes that the whole world held, service and network with it.
    pub peak_bytes: Option<u64>,
    /// Requests sent.
    pub sends: Option<u64>,
    /// From the end of a storm to the first good answer after it.
    pub recovery_s: Option<f64>,
    /// By how much the makespan may exceed the bound.
    pub target: Option<f64>,
}

impl Row {
    /// A row with nothing measured.
    pub fn new(scenario: impl Into<String>) -> Self {
        Self { scenario: scenario.into(), ..Self::default() }
    }

    /// Whether nothing was violated and the makespan is as near its bound as promised.
    pub fn is_good(&self) -> bool {
        let near = match (self.makespan_s, self.bound_s, self.target) {
            (Some(makespan), Some(bound), Some(target)) => makespan <= bound * (1.0 + target),
            _ => true,
        };
        near && self.violations == 0
    }
}

/// Microseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// The rows as a table.
pub fn table(rows: &[Row]) -> String {
    let columns = [
        "scenario",
        "makespan s",
        "bound s",
        "over",
        "violations",
        "decisions/s",
        "B/job",
        "peak MB",
        "recovery s",
        "sends",
        "",
    ];
    let number = |value: Option<f64>, digits: usize| {
        value.map_or(String::new(), |value| format!("{value:.digits$}"))
    };
    let lines = rows.iter().map(|row| {
        let over = match (row.makespan_s, row.bound_s) {
            (Some(makespan), Some(bound)) if bound > 0.0 => {
                format!("{:+.2} %", (makespan / bound - 1.0) * 100.0)
            }
            _ => String::new(),
        };
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let peak = row.peak_bytes.map(|bytes| bytes as f64 / 1e6);
        [
            row.scenario.clone(),
            number(row.makespan_s, 1),
            number(row.bound_s, 1),
            over,
            row.violations.to_string(),
            number(row.decisions_per_s, 0),
            number(row.bytes_per_job, 0),
            number(peak, 1),
            number(row.recovery_s, 1),
            row.sends.map_or(String::new(), |sends| sends.to_string()),
            if row.is_good() { String::new() } else { "NOT AS PROMISED".into() },
        ]
    });
    let lines: Vec<_> = std::iter::once(columns.map(String::from)).chain(lines).collect();
    let width = |column: usize| {
        lines.iter().map(|line: &[String; 11]| line[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            let cell = match column {
                0 => format!("{cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
            text.push_str(&cell);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_good_within_its_target() {
        let row = Row { makespan_s: Some(101.0), bound_s: Some(100.0), ..Row::new("a") };
        assert!(row.is_good());
        assert!(Row { target: Some(0.01), ..row.clone() }.is_good());
        assert!(!Row { target: Some(0.009), ..row.clone() }.is_good());
        assert!(!Row { violations: 1, ..row.clone() }.is_good());
        assert!(table(&[row]).contains("+1.00 %"));
    }
}
