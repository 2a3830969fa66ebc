//! For whom a rule is.

/// For whom a rule is, as a tree. The writer makes tables of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Everybody.
    Always,
    /// Nobody.
    Never,
    /// A value passes a test. The key is one of the flag file: `user`, `header.x-plan`, …
    Test(String, Matcher),
    /// Members of a segment, by its name in the old system.
    Segment(String),
    /// From this time on (RFC 3339).
    After(String),
    /// Until this time.
    Before(String),
    /// A user is known, or none is.
    Authenticated(bool),
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Something that the flag file cannot say, and what it is.
    Unknown(String),
}

/// What a value must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// One of these, exactly.
    Words(Vec<String>),
    /// It begins with one of these.
    Starts(Vec<String>),
    /// It ends with one of these.
    Ends(Vec<String>),
    /// It contains one of these.
    Contains(Vec<String>),
    /// A regular expression is found in it.
    Expression(String),
    /// A version, or a number, from this one on.
    AtLeast(String),
    /// A version, or a number, before this one.
    Below(String),
    /// An address in one of these ranges.
    Networks(Vec<String>),
}

impl Condition {
    /// A value is one of these words.
    #[must_use]
    pub fn words<T: Into<String>>(key: impl Into<String>, words: impl IntoIterator<Item = T>) -> Self {
        Self::Test(key.into(), Matcher::Words(words.into_iter().map(Into::into).collect()))
    }

    /// It does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// It does not hold, where `negated` says so.
    #[must_use]
    pub fn negated_if(self, negated: bool) -> Self {
        if negated { self.negated() } else { self }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, one) | (one, Self::Always) => one,
            (one, other) => Self::All(vec![one, other]),
        }
    }
}

impl Matcher {
    /// A regular expression that finds a text, escaped, whatever is in it.
    #[must_use]
    pub fn escaped(text: &str) -> String {
        let mut escaped = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            if "\\.+*?()|[]{}^$#&-~/".contains(c) || c.is_ascii_whitespace() && c != ' ' {
                escaped.push('\\');
            }
            match c {
                '\n' => escaped.push('n'),
                '\r' => escaped.push('r'),
                '\t' => escaped.push('t'),
                '\x0c' => escaped.push('f'),
                c => escaped.push(c),
            }
        }
        escaped
    }
}
