//! Fields of a form, as keys of a flag. A field that was not touched sets nothing: beside each stands the value that the page showed.

use std::fmt::Write as _;

use flagstaff_flags::Percent;
use jiff::civil::Date;

/// The fields of a form, in their order; a name may be there several times.
pub(super) struct Fields(pub(super) Vec<(String, String)>);

/// A key that is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetKey {
    /// With dots.
    pub(super) key: String,
    /// Its value, as TOML; empty: it is taken out.
    pub(super) value: String,
    /// Its value as the page showed it, where it did; empty: it was not there.
    pub(super) was: Option<String>,
}

impl SetKey {
    /// Key and value.
    pub(super) fn pair(&self) -> (&str, &str) {
        (&self.key, &self.value)
    }
}

/// Fields that are a text, and their keys.
pub(super) const TEXTS: [(&str, &str); 3] =
    [("description", "description"), ("owner", "owner"), ("ticket", "ticket")];
/// Fields that are a list with commas, and their keys.
pub(super) const LISTS: [(&str, &str); 3] =
    [("users", "allow.users"), ("groups", "allow.groups"), ("languages", "allow.languages")];
/// Switches, and their keys.
const SWITCHES: [(&str, &str); 2] = [("enabled", "enabled"), ("authenticated", "allow.authenticated")];

impl Fields {
    /// The first field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every field of this name.
    pub(super) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// What the page showed of a field.
    fn seen(&self, name: &str) -> Option<&str> {
        self.get(&format!("seen_{name}"))
    }

    /// The keys to set, each with its value as TOML; an empty value takes a key out.
    ///
    /// # Errors
    /// With what is wrong with a field.
    pub(super) fn keys(&self) -> Result<Vec<SetKey>, String> {
        let was = self.all("was").map(|was| Some(was.to_owned())).chain(std::iter::repeat(None));
        let pairs = self.all("key").zip(self.all("value")).zip(was);
        let mut keys: Vec<_> =
            pairs.map(|((key, value), was)| SetKey { key: key.into(), value: value.into(), was }).collect();
        for (field, key) in SWITCHES {
            let (is_set, seen) = (self.get(field) == Some("true"), self.seen(field));
            if let Some(seen) = seen.filter(|seen| (*seen == "true") != is_set) {
                keys.push(SetKey { key: key.into(), value: is_set.to_string(), was: Some(seen.into()) });
            }
        }
        self.touched("percent", "percent", percent, &mut keys)?;
        for (field, key) in LISTS {
            self.touched(field, key, |text| Ok(list(&items(text))), &mut keys)?;
        }
        keys.extend(self.roles());
        for (field, key) in TEXTS {
            self.touched(field, key, |text| Ok(quoted_or_none(text)), &mut keys)?;
        }
        self.touched("expires", "expires", date, &mut keys)?;
        Ok(keys)
    }

    /// The roles, when other ones have their tick than the page showed.
    fn roles(&self) -> Option<SetKey> {
        let seen = items(self.seen("role")?);
        let roles: Vec<_> = self.all("role").map(str::trim).filter(|role| !role.is_empty()).collect();
        (seen != roles).then(|| SetKey { key: "allow.roles".into(), value: list(&roles), was: Some(list(&seen)) })
    }

    /// A field that says something else than the page showed.
    fn touched(
        &self,
        field: &str,
        key: &str,
        toml: impl Fn(&str) -> Result<String, String>,
        keys: &mut Vec<SetKey>,
    ) -> Result<(), String> {
        let (Some(value), Some(seen)) = (self.get(field), self.seen(field)) else {
            return Ok(());
        };
        let (value, seen) = (value.trim(), seen.trim());
        // a line of text has no line ends, whatever the file's value has
        if value != seen && value != seen.replace(['\r', '\n'], "") {
            keys.push(SetKey { key: key.into(), value: toml(value)?, was: toml(seen).ok() });
        }
        Ok(())
    }
}

fn percent(text: &str) -> Result<String, String> {
    let number = text.replace(',', ".");
    if number.is_empty() {
        return Ok(number);
    }
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is not a percentage: write a number from 0 to 100"))?;
    Percent::new(number).map(|percent| percent.to_string()).map_err(|error| format!("`{text}`: {error}"))
}

fn date(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let date: Result<Date, _> = text.parse();
    date.map(|date| date.to_string()).map_err(|_| format!("`{text}` is not a date: write one such as 2027-01-31"))
}

fn quoted_or_none(text: &str) -> String {
    if text.is_empty() { String::new() } else { quoted(text) }
}

fn items(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn list(items: &[&str]) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let fields = Fields(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
        Ok(fields.keys()?.into_iter().map(|one| (one.key, one.value)).collect())
    }

    #[test]
    fn only_what_was_touched_is_set() {
        let form = [("percent", "20"), ("seen_percent", "50"), ("owner", "growth"), ("seen_owner", "growth")];
        assert_eq!(keys(&form).unwrap(), [("percent".into(), "20".into())]);
        let lines = [("description", "one two"), ("seen_description", "one\r\n two\n")];
        assert_eq!(keys(&lines).unwrap(), [], "a browser takes the line ends out");
    }

    #[test]
    fn a_box_without_its_tick_is_not_sent_and_still_means_no() {
        assert_eq!(keys(&[("seen_enabled", "true")]).unwrap(), [("enabled".into(), "false".into())]);
        assert_eq!(keys(&[("seen_enabled", "true"), ("enabled", "true")]).unwrap(), []);
        let roles = [("seen_role", "staff"), ("role", "staff"), ("role", "superuser")];
        assert_eq!(keys(&roles).unwrap(), [("allow.roles".into(), r#"["staff", "superuser"]"#.into())]);
    }

    #[test]
    fn texts_are_quoted_and_emptied_ones_taken_out() {
        let form = [("owner", "a \"b\" \\ \u{1b}"), ("seen_owner", ""), ("groups", "x, y ,"), ("seen_groups", "")];
        let all = keys(&form).unwrap();
        assert_eq!(all[0], ("allow.groups".into(), r#"["x", "y"]"#.into()));
        assert_eq!(all[1], ("owner".into(), r#""a \"b\" \\ \u001b""#.into()));
        assert_eq!(keys(&[("ticket", " "), ("seen_ticket", "A-1")]).unwrap(), [("ticket".into(), String::new())]);
    }

    #[test]
    fn nonsense_is_refused_with_the_mend() {
        for (field, value) in [("percent", "many"), ("percent", "101"), ("percent", "1.0001"), ("expires", "soon")] {
            assert!(keys(&[(field, value), (&format!("seen_{field}"), "")]).unwrap_err().contains(value));
        }
        assert_eq!(keys(&[("percent", "12,5"), ("seen_percent", "")]).unwrap()[0].1, "12.5");
    }
}
