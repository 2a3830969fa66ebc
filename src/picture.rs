//! Intervals drawn with characters.

/// Characters of a picture.
const WIDTH: usize = 44;

/// What is drawn on one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
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
    pub(crate) fn over(all: &[Drawn]) -> Option<Self> {
        let ends = all.iter().flat_map(|one| [one.low, one.value, one.high]);
        let (low, high) = ends
            .filter(|end| end.is_finite())
            .fold((0.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
        let room = (high - low) * 0.05;
        (room > 0.0).then_some(Self { low: low - room, high: high + room })
    }

    fn place(&self, value: f64) -> usize {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a few dozen characters"
        )]
        let place = (part * (WIDTH - 1) as f64).round() as usize;
        place
    }

    /// `   ├───●────┤  ` with a line where 0 is.
    pub(crate) fn draw(&self, one: Drawn) -> String {
        let (low, high, value) = (self.place(one.low), self.place(one.high), self.place(one.value));
        let zero = self.place(0.0);
        let sign = |place: usize| match place {
            _ if place == value => '●',
            _ if place == low => '├',
            _ if place == high => '┤',
            _ if place == zero && (low..high).contains(&place) => '┼',
            _ if place == zero => '│',
            _ if (low..high).contains(&place) => '─',
            _ => ' ',
        };
        (0..WIDTH).map(sign).collect()
    }

    /// Where 0 is, to stand below.
    pub(crate) fn foot(&self) -> String {
        format!("{}0", " ".repeat(self.place(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(low: f64, value: f64, high: f64) -> Drawn {
        Drawn { low, value, high }
    }

    #[test]
    fn an_interval_around_zero_crosses_its_line() {
        let all = [drawn(-1.0, 0.5, 2.0), drawn(1.0, 1.5, 2.0)];
        let scale = Scale::over(&all).unwrap();
        let (first, second) = (scale.draw(all[0]), scale.draw(all[1]));
        let places: Vec<_> = "├┼●┤".chars().map(|sign| first.chars().position(|c| c == sign).unwrap()).collect();
        assert!(places.is_sorted(), "{first}");
        assert_eq!((places[0], places[1], places[3]), (2, 15, 41), "{first}");
        assert!(second.find('│') < second.find('├'));
        assert_eq!(first.chars().position(|c| c == '┼'), second.chars().position(|c| c == '│'));
        assert_eq!(scale.foot().chars().count() - 1, second.chars().position(|c| c == '│').unwrap());
    }

    #[test]
    fn nothing_to_draw_is_no_picture() {
        assert!(Scale::over(&[]).is_none());
        assert!(Scale::over(&[drawn(0.0, 0.0, 0.0)]).is_none());
        assert!(Scale::over(&[drawn(f64::NAN, f64::NAN, f64::INFINITY)]).is_none());
    }
}
