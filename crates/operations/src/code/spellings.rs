//! How code may ask for one flag.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How code may ask for a flag; the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedAs {
    /// By its own header, in any spelling: X-Flag-New-Form, HTTP_X_FLAG_NEW_FORM, x_flag_new_form.
    Header,
    /// By a call, a template tag or the cookie of django-waffle.
    Waffle,
    /// By a call of a client of ours: is_on("new_form").
    Call,
    /// By its name between quotes, as an attribute or a symbol, or as a word of YAML.
    Quoted,
    /// By its name, as a word. Texts that only speak of it have it too.
    Name,
    /// By the header that has all flags.
    AllFlags,
}

impl AskedAs {
    /// Whether nothing else can be meant.
    #[must_use]
    pub const fn is_sure(self) -> bool {
        matches!(self, Self::Header | Self::Waffle | Self::Call)
    }
}

/// How a person looks for a flag in code.
#[derive(Clone, Debug)]
pub struct Spellings {
    header: String,
    waffle: String,
}

impl Spellings {
    /// Of a flag.
    #[must_use]
    pub fn new(flag: &str) -> Self {
        Self::with_waffle(flag, flag)
    }

    /// Of a flag that django-waffle calls something else.
    #[must_use]
    pub fn with_waffle(flag: &str, waffle: &str) -> Self {
        Self { header: format!("x-flag-{}", flag.replace('_', "-")), waffle: format!("dwf_{waffle}") }
    }

    /// As a person looks for them.
    #[must_use]
    pub fn all(&self) -> [String; 5] {
        let header: Vec<_> = self.header.split('-').map(capital).collect();
        let below = self.header.replace('-', "_");
        [header.join("-"), format!("HTTP_{}", below.to_uppercase()), below, self.waffle.clone(), "X-Flags".into()]
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_looks_for_five_spellings() {
        let all = Spellings::new("new_form").all();
        assert_eq!(all, ["X-Flag-New-Form", "HTTP_X_FLAG_NEW_FORM", "x_flag_new_form", "dwf_new_form", "X-Flags"]);
    }
}
