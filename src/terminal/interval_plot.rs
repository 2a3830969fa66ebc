//! A plot of intervals, drawn with characters.

/// Characters of a plot.
const WIDTH: usize = 44;

/// What is drawn on one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) value: f64,
    pub(crate) high: f64,
}

/// A scale that all of these and 0 are on, with some room; none when there is nothing to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    pub(crate) fn over(all: &[Interval]) -> Option<Self> {
        let ends = all.iter().flat_map(|one| [one.low, one.value, one.high]);
        let (low, high) = ends
            .filter(|end| end.is_finite())
            .fold((0.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
        let room = (high - low) * 0.05;
        (room > 0.0).then_some(Self { low: low - room, high: high + room })
    }

    fn column(&self, value: f64) -> usize {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a few dozen characters"
        )]
        let column = (part * (WIDTH - 1) as f64).round() as usize;
        column
    }

    /// `   ├───●────┤  ` with a line where 0 is.
    pub(crate) fn draw(&self, one: Interval) -> String {
        let (low, high, value) = (self.column(one.low), self.column(one.high), self.column(one.value));
        let zero = self.column(0.0);
        let sign = |column: usize| match column {
            _ if column == value => '●',
            _ if column == low => '├',
            _ if column == high => '┤',
            _ if column == zero && (low..high).contains(&column) => '┼',
            _ if column == zero => '│',
            _ if (low..high).contains(&column) => '─',
            _ => ' ',
        };
        (0..WIDTH).map(sign).collect()
    }

    /// Where 0 is, to stand below.
    pub(crate) fn foot(&self) -> String {
        format!("{}0", " ".repeat(self.column(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, value: f64, high: f64) -> Interval {
        Interval { low, value, high }
    }

    #[test]
    fn an_interval_around_zero_crosses_its_line() {
        let all = [interval(-1.0, 0.5, 2.0), interval(1.0, 1.5, 2.0)];
        let scale = Scale::over(&all).unwrap();
        let (first, second) = (scale.draw(all[0]), scale.draw(all[1]));
        let columns: Vec<_> = "├┼●┤".chars().map(|sign| first.chars().position(|c| c == sign).unwrap()).collect();
        assert!(columns.is_sorted(), "{first}");
        assert_eq!((columns[0], columns[1], columns[3]), (2, 15, 41), "{first}");
        assert!(second.find('│') < second.find('├'));
        assert_eq!(first.chars().position(|c| c == '┼'), second.chars().position(|c| c == '│'));
        assert_eq!(scale.foot().chars().count() - 1, second.chars().position(|c| c == '│').unwrap());
    }

    #[test]
    fn nothing_to_draw_is_no_plot() {
        assert!(Scale::over(&[]).is_none());
        assert!(Scale::over(&[interval(0.0, 0.0, 0.0)]).is_none());
        assert!(Scale::over(&[interval(f64::NAN, f64::NAN, f64::INFINITY)]).is_none());
    }
}
