//! Intervals on one axis that all rows share, in SVG. Only numbers go into it.

/// Width of a plot.
const WIDTH: f64 = 300.0;
/// A lift beyond this is cut: one wild row must not make all others flat.
const HIGHEST_CHANGE: f64 = 2.0;

/// What is drawn in one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) value: f64,
    pub(super) high: f64,
}

/// Whether a change is decided, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Open,
    Better,
    Worse,
}

/// The axis of all rows; 0 is on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that all of these and 0 are on; none when there is nothing to draw.
    pub(super) fn over(all: impl Iterator<Item = Interval>) -> Option<Self> {
        let ends = all.flat_map(|one| [one.low, one.value, one.high]).filter(|end| end.is_finite());
        let (low, high) = ends.fold((0.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
        let (low, high) = (low.max(-1.0), high.min(HIGHEST_CHANGE));
        let room = (high - low) * 0.05;
        (room > 0.0).then_some(Self { low: low - room, high: high + room })
    }

    /// From where to where it goes.
    pub(super) fn words(&self) -> String {
        format!("from {:+.0} to {:+.0} %", self.low * 100.0, self.high * 100.0)
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        if part.is_finite() { part.clamp(0.0, 1.0) * WIDTH } else { 0.0 }
    }

    /// One row.
    pub(super) fn draw(&self, one: Interval, judgement: Judgement) -> String {
        let (low, value, high, zero) = (self.at(one.low), self.at(one.value), self.at(one.high), self.at(0.0));
        let class = match judgement {
            Judgement::Open => "",
            Judgement::Better => " good",
            Judgement::Worse => " bad",
        };
        format!(
            r#"<svg class="plot" viewBox="0 0 {WIDTH} 26" preserveAspectRatio="none" role="img" aria-label="from {:+.1} to {:+.1} percent"><line class="axis" x1="0" x2="{WIDTH}" y1="13" y2="13"/><line class="zero" x1="{zero:.1}" x2="{zero:.1}" y1="0" y2="26"/><line class="range{class}" x1="{low:.1}" x2="{high:.1}" y1="13" y2="13"/><rect class="dot{class}" x="{:.1}" width="5" y="6" height="14" rx="2"/></svg>"#,
            one.low * 100.0,
            one.high * 100.0,
            value - 2.5,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_an_axis_with_zero_on_it() {
        let (one, other) =
            (Interval { low: 0.1, value: 0.2, high: 0.3 }, Interval { low: -0.1, value: 0.0, high: 0.1 });
        let axis = Axis::over([one, other].into_iter()).unwrap();
        assert_eq!(axis.words(), "from -12 to +32 %");
        let zero =
            |svg: String| svg.split("class=\"zero\" x1=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let rows = [axis.draw(one, Judgement::Better), axis.draw(other, Judgement::Open)];
        let [first, second] = rows.map(zero);
        assert_eq!(first, second);
    }

    #[test]
    fn nothing_to_draw_is_no_axis_and_a_wild_row_is_cut() {
        assert!(Axis::over(std::iter::empty()).is_none());
        let axis = Axis::over([Interval { low: 0.0, value: 1.0, high: 1e9 }].into_iter()).unwrap();
        assert!(axis.high < 3.0);
    }
}
