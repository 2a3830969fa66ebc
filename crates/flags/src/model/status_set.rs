//! Sets of HTTP status codes.

use std::fmt;

/// Status codes: `2xx`, `404`, `500-503`, several with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Reads a list such as `2xx,304,500-503`.
    ///
    /// # Errors
    /// When a part is neither a class, a code of 100 to 599, nor a rising range of codes.
    pub fn new(text: &str) -> Result<Self, StatusSetError> {
        let code = |t: &str| t.trim().parse().ok().filter(|c| (100..=599).contains(c));
        let part = |part: &str| {
            let part = part.trim();
            if let Some(class) = part.strip_suffix("xx") {
                let class: u16 = class.parse().ok().filter(|c| (1..=5).contains(c))?;
                return Some((class * 100, class * 100 + 99));
            }
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some((code(from)?, code(to)?)).filter(|(from, to)| from <= to)
        };
        text.split(',').map(part).collect::<Option<_>>().map(Self).ok_or(StatusSetError)
    }

    /// Success and redirection, `2xx,3xx`: the app took the request.
    #[must_use]
    pub fn accepted() -> Self {
        Self(vec![(200, 399)])
    }

    /// Whether a status is one of these.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

/// A text that names no statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSetError;

impl fmt::Display for StatusSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("statuses are written as \"5xx\", \"404\" or \"500-503\", several with commas")
    }
}

impl std::error::Error for StatusSetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_classes_codes_and_ranges() {
        let set = StatusSet::new("2xx, 304,500-503").unwrap();
        assert!([200, 299, 304, 500, 503].iter().all(|s| set.contains(*s)));
        assert!([199, 300, 305, 504].iter().all(|s| !set.contains(*s)));
        for bad in ["", "6xx", "xx", "600", "99", "503-500", "2xx,", "2xx 3xx", "ok"] {
            assert_eq!(StatusSet::new(bad), Err(StatusSetError), "{bad}");
        }
    }
}
