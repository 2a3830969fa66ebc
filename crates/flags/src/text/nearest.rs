//! Which known word was meant.

/// The known word that was most likely meant, when one is near enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Jaro-Winkler similarity from which a slip of the finger is likely.
    const NEAR: f64 = 0.84;
    /// Longer words are not compared: the time it takes grows with the square of the length, and no slip of the finger makes one.
    const LONGEST_WORD: usize = 128;
    if word.len() > LONGEST_WORD {
        return None;
    }
    let rated = known
        .into_iter()
        .filter(|other| other.len() <= LONGEST_WORD)
        .map(|other| (strsim::jaro_winkler(word, other), other));
    rated.filter(|(likeness, _)| *likeness >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other)| other)
}
